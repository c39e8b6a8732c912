import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

const ROOT = join(import.meta.dirname, '..')
const EXPORTS = Object.entries(manifest.exports)
const CORE = EXPORTS.filter(([name]) => ['.', './merge', './graph'].includes(name))
const IMPORT = /(?:from|import) '([^']+)'/g

const nodeIn = (folder: string, ...words: string[]) => execFileSync('node', words, { cwd: folder, encoding: 'utf8' })

/** What a built file imports, and what that imports. */
function imports(file: string, seen = new Set<string>()): Set<string> {
  for (const [, found = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const target = found.startsWith('.') ? join(file, '..', found) : found
    if (seen.has(target)) continue
    seen.add(target)
    if (found.startsWith('.')) imports(target, seen)
  }
  return seen
}

it.each(EXPORTS)('%s can be imported by its name, and has types', (name, { types }) => {
  const specifier = join('workflow-sync', name)
  const script = `console.log(Object.keys(await import('${specifier}')).length)`
  expect(Number(nodeIn(ROOT, '--input-type=module', '--eval', script))).toBeGreaterThan(0)
  expect(existsSync(join(ROOT, types))).toBe(true)
})

it.each(CORE)('%s depends on nothing', (_, { default: file }) => {
  const files = [...imports(join(ROOT, file))]
  expect(files.filter((each) => !each.startsWith(ROOT))).toEqual([])
  expect(manifest).not.toHaveProperty('dependencies')
})

it.each(EXPORTS)('%s needs only what the package says that it may', (_, { default: file }) => {
  const packages = [...imports(join(ROOT, file))].filter((each) => !each.startsWith(ROOT))
  const peers = Object.keys(manifest.peerDependencies)
  expect(packages.filter((each) => !peers.some((peer) => each === peer || each.startsWith(`${peer}/`)))).toEqual([])
})

it('does nothing when it is imported, so that a bundler can leave out what is not used', () => {
  expect(manifest.sideEffects).toBe(false)
  const script = `
    const before = Object.keys(globalThis)
    for (const name of ${JSON.stringify(CORE.map(([name]) => join('workflow-sync', name)))}) await import(name)
    console.log(JSON.stringify([Object.keys(globalThis).length - before.length, process.getActiveResourcesInfo()]))
  `
  const [globals, running] = JSON.parse(nodeIn(ROOT, '--input-type=module', '--eval', script))
  expect(globals).toBe(0)
  expect(running.filter((each: string) => each === 'Timeout' || each.includes('Wrap'))).toEqual([])
})

it('publishes what was built, and nothing else', () => {
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const files: readonly { readonly path: string }[] = JSON.parse(listing)[0].files
  const others = files.map(({ path }) => path).filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path))
  expect(others.sort()).toEqual(['README.md', 'package.json'])
})
