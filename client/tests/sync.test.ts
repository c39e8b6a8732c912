// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createWorkflowSync } from '../src/sync.js'
import type { Document, Options, WorkflowSync } from '../src/types.js'
import { FakeBrowser, type FakeTab } from './locks.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { BAD, FakeServer } from './server.js'
import { FakeStorage } from './storage.js'

const DEBOUNCE_MS = 2_000
const LONG_MS = 60_000

let server: FakeServer
let network: FakeNetwork
let feed: FakeFeed
let storage: FakeStorage
let browser: FakeBrowser
let open: WorkflowSync[]

beforeEach(() => {
  vi.useFakeTimers()
  server = new FakeServer()
  server.write(() => ({ blocks: { a: { x: 1 }, b: { x: 1 } } }))
  network = new FakeNetwork(server)
  feed = new FakeFeed(server)
  storage = new FakeStorage()
  browser = new FakeBrowser()
  open = []
})

afterEach(async () => {
  network.isUp = false
  await Promise.all(open.map((sync) => sync.close()))
  vi.useRealTimers()
})

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

/** Open a page, in a tab of its own. */
const start = async (options: Partial<Options> = {}): Promise<WorkflowSync & { readonly tab: FakeTab }> => {
  const tab = browser.open()
  vi.stubGlobal('navigator', { locks: tab })
  const sync = createWorkflowSync({
    endpoint: '/graphql', workflowId: 'w', getAuth: () => ({}), storage, feed: feed.factory, ...options,
  })
  open.push(sync)
  await pass()
  return Object.assign(Object.create(sync), { tab })
}

/** Set x of a block, as others do it, too. */
const moved = (block: string, x: number) => (document: Document): Document => {
  const blocks = document['blocks'] as Document
  return { ...document, blocks: { ...blocks, [block]: { ...(blocks[block] as Document), x } } }
}

const xOf = (document: Document, block: string) => ((document['blocks'] as Document)[block] as Document)['x']

describe('saving', () => {
  test('a page loads, and is idle', async () => {
    const sync = await start()
    expect(sync.getSnapshot()).toMatchObject({ status: 'idle', version: 1, kept: 'server', role: 'OWNER' })
  })

  test('an edit is saved after a pause', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    expect(sync.getSnapshot()).toMatchObject({ status: 'dirty', kept: 'device', hasUnsynced: true })
    await pass(DEBOUNCE_MS)
    expect(server.state).toEqual(sync.getSnapshot().document)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', kept: 'server', version: 2 })
    expect(storage.length).toBe(0)
  })

  test('a lost answer is asked for again, and the save applied once', async () => {
    const sync = await start()
    network.losesAnswers = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'offline', kept: 'device' })
    network.losesAnswers = false
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 2 })
    expect(server.version).toBe(2)
  })

  test('two pages come together', async () => {
    const [one, two] = [await start(), await start()]
    one.update(moved('a', 2))
    two.update(moved('b', 3))
    await pass(LONG_MS)
    expect(one.getSnapshot().document).toEqual(server.state)
    expect(two.getSnapshot().document).toEqual(server.state)
    expect(xOf(server.state, 'a')).toBe(2)
    expect(xOf(server.state, 'b')).toBe(3)
  })

  test('what is refused is kept and told', async () => {
    const sync = await start()
    sync.update({ ...sync.getSnapshot().document, name: BAD, other: 1 })
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', kept: 'device', problems: [{ path: ['name'] }] })
    expect(server.state['other']).toBe(1)
    sync.discard()
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', document: server.state })
  })
})
