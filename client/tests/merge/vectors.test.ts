import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { apply, diff, same } from '../../src/document.js'
import { merge } from '../../src/merge/index.js'
import type { Change, Document, Json, Path } from '../../src/types.js'
import { frozen } from './json.js'

type Save = { readonly by: string; readonly seen?: number } & (
  { readonly state: Document } | { readonly changes: readonly Change[] }
)

interface Row {
  readonly save: number
  readonly path: Path
  readonly [key: string]: unknown
}

interface Scenario {
  readonly name: string
  readonly base: Document
  readonly saves: readonly Save[]
  readonly expected: Played
}

interface Played {
  readonly document: Document
  readonly conflicts: readonly Row[]
  readonly repairs: readonly Row[]
}

const FOLDER = new URL('../../../tests/vectors/', import.meta.url)

const topics = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file): [string, Scenario[]] => [
    file.replace('.json', ''),
    frozen(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Scenario[]),
  ])

/** Merges the saves one after the other. */
const play = ({ base, saves }: Scenario): Played => {
  const documents = [base]
  const conflicts: Row[] = []
  const repairs: Row[] = []
  saves.forEach((made, save) => {
    const { seen = 0 } = made
    const [mine = base, ...since] = documents.slice(seen)
    const current = since.at(-1) ?? mine
    const yours = 'state' in made ? made.state : apply(mine, made.changes)
    const merged = merge(mine, frozen(yours), current, since.slice(0, -1))
    documents.push(isOnlyClock(diff(current, merged.document)) ? current : frozen(merged.document))
    conflicts.push(...merged.conflicts.map((conflict) => ({ save, ...conflict })))
    repairs.push(...merged.repairs.map((mended) => ({ save, ...mended })))
  })
  return { document: documents.at(-1) ?? base, conflicts, repairs }
}

const isOnlyClock = (changes: readonly Change[]): boolean => changes.every(({ path }) => path[0] === 'lastSaved')

/** Whether each row of the one has its like in the other. */
const expectSameRows = (rows: readonly Row[], expected: readonly Row[]): void => {
  const isLike = (a: Row) => (b: Row) => same(a as unknown as Json, b as unknown as Json)
  expect(rows.filter((row) => !expected.some(isLike(row)))).toEqual([])
  expect(expected.filter((row) => !rows.some(isLike(row)))).toEqual([])
  expect(rows).toHaveLength(expected.length)
}

describe.each(topics)('%s', (_, scenarios) => {
  test.each(scenarios.map((scenario): [string, Scenario] => [scenario.name, scenario]))('%s', (_name, scenario) => {
    const { document, conflicts, repairs } = play(scenario)
    expect(document).toEqual(scenario.expected.document)
    expect(same(document, scenario.expected.document)).toBe(true)
    expectSameRows(conflicts, scenario.expected.conflicts)
    expectSameRows(repairs, scenario.expected.repairs)
  })
})

test('there are scenarios of many topics', () => {
  expect(topics.length).toBeGreaterThanOrEqual(15)
  expect(topics.flatMap(([, scenarios]) => scenarios).length).toBeGreaterThanOrEqual(235)
})
