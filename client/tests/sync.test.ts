// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createWorkflowSync } from '../src/sync.js'
import type { Document, Options, WorkflowSync } from '../src/types.js'
import { FakeBrowser, type FakeTab } from './locks.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { BAD, FakeServer } from './server.js'
import { FakeStorage, refusing } from './storage.js'

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
const start = async (
  options: Partial<Options> = {},
  heard: FakeFeed | null = feed,
): Promise<WorkflowSync & { readonly tab: FakeTab }> => {
  const tab = browser.open()
  vi.stubGlobal('navigator', { locks: tab })
  const sync = createWorkflowSync({
    endpoint: '/graphql',
    workflowId: 'w',
    getAuth: () => ({}),
    storage,
    ...(heard && { feed: heard.factory }),
    ...options,
  })
  open.push(sync)
  await pass()
  return Object.assign(Object.create(sync), { tab })
}

/** Set x of a block, as others do it, too. */
const moved =
  (block: string, x: number) =>
  (document: Document): Document => {
    const blocks = document['blocks'] as Document
    return { ...document, blocks: { ...blocks, [block]: { ...(blocks[block] as Document), x } } }
  }

const xOf = (document: Document, block: string) => ((document['blocks'] as Document)[block] as Document)['x']

/** The tab crashes: nothing of it runs any more. */
const crash = ({ tab }: { readonly tab: FakeTab }) => {
  vi.clearAllTimers()
  feed.forget()
  open = []
  tab.die()
}

const leave = () => {
  window.dispatchEvent(new Event('pagehide'))
}

const comeBack = async () => {
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  await pass()
}

const reasons = () => network.saves.map((save) => (save as { reason: string }).reason)

describe('loading', () => {
  test('a page that has loaded is idle', async () => {
    network.isHeld = true
    const sync = await start()
    expect(sync.getSnapshot()).toMatchObject({ status: 'loading', version: 0 })
    network.serve()
    await pass()
    expect(sync.getSnapshot()).toMatchObject({
      status: 'idle',
      version: 1,
      kept: 'server',
      role: 'OWNER',
      name: 'W',
      isConnected: true,
      document: server.state,
    })
  })

  test('before it has loaded, nothing can be edited', async () => {
    network.isUp = false
    const sync = await start()
    expect(() => sync.update({})).toThrow(expect.objectContaining({ code: 'OFFLINE' }))
    expect(sync.status).toBe('offline')
    await expect(sync.flush()).rejects.toMatchObject({ code: 'OFFLINE' })
    network.isUp = true
    await pass(LONG_MS)
    expect(sync.status).toBe('idle')
    expect(server.version).toBe(1)
  })

  test('a workflow that is not there is an error, and nothing is ever sent', async () => {
    server = new FakeServer()
    network = new FakeNetwork(server)
    const sync = await start()
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', error: { code: 'NOT_FOUND' } })
    expect(() => sync.update({ blocks: {} })).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    await expect(sync.flush()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await pass(LONG_MS)
    expect(network.calls).toHaveLength(1)
  })

  test('a viewer edits nothing', async () => {
    network.role = 'VIEWER'
    const sync = await start()
    expect(sync.status).toBe('read-only')
    expect(() => sync.update({})).toThrow(expect.objectContaining({ code: 'READ_ONLY' }))
  })
})

describe('creating', () => {
  const initial = { blocks: { a: { x: 1 } } }

  beforeEach(() => {
    server = new FakeServer()
    network = new FakeNetwork(server)
    feed = new FakeFeed(server)
  })

  test('a workflow is not created by looking at it', async () => {
    const sync = await start({ initial })
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'idle', document: initial, hasUnsynced: false })
    await sync.close()
    expect(server.version).toBe(0)
  })

  test('the first edit creates it, and others are heard of from then on', async () => {
    const sync = await start({ initial, name: 'Mine' })
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(network.saves).toMatchObject([{ name: 'Mine', state: { blocks: { a: { x: 2 } } }, baseVersion: 0 }])
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 1, role: 'OWNER', name: 'Mine' })
    server.write(moved('a', 3))
    expect(sync.getSnapshot()).toMatchObject({ version: 2, document: server.state })
  })

  test('a flush creates it as it is', async () => {
    const sync = await start({ initial })
    await expect(sync.flush()).resolves.toEqual({ version: 1, savedAt: 'at 1' })
    expect(server.state).toEqual(initial)
  })
})

describe('saving', () => {
  test('an edit is kept at once, and saved after a pause', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    expect(storage.length).toBe(1)
    expect(sync.getSnapshot()).toMatchObject({ status: 'dirty', kept: 'device', hasUnsynced: true })
    await pass(DEBOUNCE_MS - 1)
    expect(network.saves).toEqual([])
    await pass(1)
    expect(network.saves).toMatchObject([{ clientId: sync.clientId, sequence: 1, baseVersion: 1, reason: 'DEBOUNCED' }])
    expect(sync.getSnapshot()).toMatchObject({
      status: 'saved',
      kept: 'server',
      version: 2,
      savedBy: 'me',
      savedAt: 'at 2',
    })
    expect(storage.length).toBe(0)
    expect(server.state).toEqual(sync.getSnapshot().document)
  })

  test('who never pauses is saved, too', async () => {
    const sync = await start()
    for (let x = 2; x < 15; x++) {
      sync.update(moved('a', x))
      await pass(1_000)
    }
    expect(network.saves).toHaveLength(1)
  })

  test('nothing is sent where an edit was undone', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    sync.update(moved('a', 1))
    expect(sync.getSnapshot()).toMatchObject({ status: 'idle', hasUnsynced: false, kept: 'server' })
    expect(storage.length).toBe(0)
    await pass(LONG_MS)
    expect(network.saves).toEqual([])
  })

  test('a clock alone is no edit', async () => {
    const sync = await start()
    sync.update((document) => ({ ...document, lastSaved: 1 }))
    expect(sync.hasUnsynced).toBe(false)
  })

  test('what a timer missed is found by and by', async () => {
    const sync = await start({ debounceMs: 1e9, maxWaitMs: 1e9 })
    sync.update(moved('a', 2))
    await pass(30_000)
    expect(reasons()).toEqual(['PERIODIC'])
    await pass(LONG_MS)
    expect(network.saves).toHaveLength(1)
  })

  test('without autosave only a flush saves', async () => {
    const sync = await start({ autosave: false })
    sync.update(moved('a', 2))
    server.write(moved('a', 9)) // a collision waits, too
    await pass(LONG_MS)
    expect(network.saves).toEqual([])
    await sync.flush()
    expect(xOf(server.state, 'a')).toBe(2)
    expect(server.conflicts).toHaveLength(1)
    expect(sync.getSnapshot().document).toEqual(server.state)
  })

  test('a flush tells the version that was committed', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    await expect(sync.flush('IMPORT')).resolves.toEqual({ version: 2, savedAt: 'at 2' })
    expect(reasons()).toEqual(['IMPORT'])
  })

  test('a flush includes what is on its way', async () => {
    const sync = await start()
    network.isHeld = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    sync.update(moved('b', 2))
    const flushed = sync.flush()
    await pass()
    expect(network.saves).toHaveLength(1)
    network.serve()
    await expect(flushed).resolves.toMatchObject({ version: 3 })
  })

  test('a flush that cannot be done now says so, and the edits stay', async () => {
    const sync = await start()
    network.isUp = false
    sync.update(moved('a', 2))
    await expect(sync.flush()).rejects.toMatchObject({ code: 'OFFLINE' })
    expect(sync.getSnapshot()).toMatchObject({ status: 'offline', kept: 'device', error: { code: 'OFFLINE' } })
  })

  test('what was sent is sent again as it was, and applied once', async () => {
    const sync = await start()
    network.losesAnswers = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'offline', kept: 'device' })
    sync.update(moved('a', 3))
    network.losesAnswers = false
    await pass(LONG_MS)
    const [first, ...others] = network.saves
    expect(others.slice(0, -1).every((each) => JSON.stringify(each) === JSON.stringify(first))).toBe(true)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 3, error: null })
    expect([...server.decided.values()]).toEqual([1, 1])
  })

  test('it is never called saved before it was', async () => {
    const sync = await start()
    const seen: string[] = []
    sync.subscribe(() => {
      const { kept, status, document } = sync.getSnapshot()
      if (kept === 'server' || status === 'saved') seen.push(status)
      if (kept === 'server') expect(server.state).toEqual(document)
    })
    network.losesAnswers = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(seen).toEqual([])
    network.losesAnswers = false
    await pass(LONG_MS)
    expect(seen.at(-1)).toBe('saved')
  })

  test('a snapshot is another object only when something changed, and listeners hear of that alone', async () => {
    const sync = await start()
    const before = sync.getSnapshot()
    const listener = vi.fn()
    const stop = sync.subscribe(listener)
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toBe(before)
    expect(listener).not.toHaveBeenCalled()
    sync.update(moved('a', 2))
    expect(listener).toHaveBeenCalledTimes(1)
    stop()
    sync.update(moved('a', 3))
    expect(listener).toHaveBeenCalledTimes(1)
    expect(sync.getSnapshot()).not.toBe(before)
  })

  test('what is saved is shown by the same objects as before', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    const { document } = sync.getSnapshot()
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved' })
    expect(sync.getSnapshot().document).toBe(document)
  })

  test('where nothing can be kept, that is told', async () => {
    const sync = await start({ storage: refusing })
    sync.update(moved('a', 2))
    expect(sync.getSnapshot().kept).toBe('nowhere')
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot().kept).toBe('server')
  })
})

describe('a bad network', () => {
  test('is tried again later and later, and at once when it is back', async () => {
    const sync = await start()
    network.isUp = false
    sync.update(moved('a', 2))
    await pass(10 * LONG_MS)
    const tries = network.saves.length
    expect(tries).toBeGreaterThan(10)
    expect(tries).toBeLessThan(100)
    network.isUp = true
    window.dispatchEvent(new Event('online'))
    await pass()
    expect(sync.status).toBe('saved')
  })

  test('a server that asks for time gets it', async () => {
    const sync = await start()
    network.answer(503, { 'Retry-After': '20' })
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    sync.update(moved('a', 3))
    await pass(19_000)
    expect(network.saves).toHaveLength(1)
    await pass(11_000)
    expect(sync.status).toBe('saved')
  })

  /** Open a page, and edit once its user was signed out. */
  const signedOut = async () => {
    let auth: object | null = {}
    const sync = await start({ getAuth: () => auth })
    network.refuse('UNAUTHENTICATED', 401)
    auth = null
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    return { sync, signIn: () => (auth = {}) }
  }

  test('who is signed out loses nothing, and goes on when signed in', async () => {
    const { sync, signIn } = await signedOut()
    expect(sync.getSnapshot()).toMatchObject({ status: 'needs-auth', kept: 'device' })
    signIn()
    await expect(sync.flush()).resolves.toMatchObject({ version: 2 })
  })

  test('nothing goes out in the name of somebody else who has signed in', async () => {
    const { sync, signIn } = await signedOut()
    signIn()
    network.viewer = 'somebody else'
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', kept: 'device', error: { code: 'FORBIDDEN' } })
    expect(server.version).toBe(1)
  })

  test('what is too large goes in parts', async () => {
    const sync = await start()
    network.answer(413)
    sync.update((document) => ({ ...moved('a', 2)(document), name: 'N' }))
    await pass(DEBOUNCE_MS)
    expect(network.saves).toHaveLength(3)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 3, document: server.state })
  })

  test('what is too large for itself is refused, and holds up nothing', async () => {
    const sync = await start()
    network.answer(413)
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', kept: 'device', problems: [{ code: 'TOO_LARGE' }] })
    sync.update(moved('b', 2))
    await pass(DEBOUNCE_MS)
    expect(xOf(server.state, 'b')).toBe(2)
    sync.retry()
    await pass()
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', document: server.state, problems: [] })
  })
})

describe('refusals', () => {
  const bad = (document: Document) => ({ ...document, name: BAD, other: 1 })

  test('only what is refused stays, and is told', async () => {
    const sync = await start()
    sync.update(bad)
    await expect(sync.flush()).rejects.toMatchObject({ code: 'BAD' })
    expect(sync.getSnapshot()).toMatchObject({
      status: 'error',
      kept: 'device',
      problems: [{ path: ['name'] }],
      document: { name: BAD, other: 1 },
    })
    expect(server.state['other']).toBe(1)
    await pass(LONG_MS)
    expect(network.saves).toHaveLength(2)
  })

  test('it may be let go', async () => {
    const sync = await start()
    sync.update(bad)
    await pass(DEBOUNCE_MS)
    sync.discard()
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', document: server.state, kept: 'server' })
    expect(storage.length).toBe(0)
  })

  test('it may be mended, and tried again', async () => {
    const sync = await start()
    sync.update(bad)
    await pass(DEBOUNCE_MS)
    sync.update((document) => ({ ...document, name: 'good' }))
    await pass(DEBOUNCE_MS)
    expect(server.state['name']).toBe('good')
    expect(sync.status).toBe('error')
    sync.discard()
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot().document).toEqual(server.state)
    expect(server.state['name']).toBe('good')
  })

  test('an edit of what is refused waits with it, and goes out with it', async () => {
    const sync = await start()
    sync.update((document) => ({ ...document, extra: { name: BAD } }))
    await pass(DEBOUNCE_MS)
    sync.update((document) => ({ ...document, extra: { ...(document['extra'] as Document), x: 1 } }))
    await pass(LONG_MS)
    expect(network.saves.length).toBeLessThan(4)
    const document = { extra: { name: BAD, x: 1 } }
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', kept: 'device', document })
    sync.discard()
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'idle', document: server.state, problems: [] })
  })

  test('who may not save any more is told so', async () => {
    const sync = await start()
    network.refuse('FORBIDDEN')
    network.role = 'VIEWER'
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', role: 'VIEWER', problems: [{ code: 'FORBIDDEN' }] })
    sync.discard()
    expect(sync.getSnapshot()).toMatchObject({ status: 'read-only', document: server.state })
  })
})

describe('others', () => {
  test('are heard of at once', async () => {
    const sync = await start()
    server.write(moved('a', 5))
    expect(sync.getSnapshot()).toMatchObject({ version: 2, document: server.state, savedBy: 'other' })
  })

  test('edit beside one', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    server.write(moved('b', 5))
    expect(sync.getSnapshot().document).toMatchObject({ blocks: { a: { x: 2 }, b: { x: 5 } } })
    await pass(DEBOUNCE_MS)
    expect(network.saves).toMatchObject([{ baseVersion: 2 }])
    expect(server.state).toEqual(sync.getSnapshot().document)
  })

  test('are not overwritten unseen', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    server.write(moved('a', 5))
    await pass()
    expect(network.saves).toMatchObject([{ baseVersion: 1 }])
    expect(sync.getSnapshot()).toMatchObject({ status: 'conflict', document: server.state, version: 3 })
    expect(sync.conflicts).toMatchObject([{ path: ['blocks', 'a', 'x'] }])
  })

  test('that are waited for are shown once the answer is there', async () => {
    const sync = await start()
    network.isHeld = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    server.write(moved('b', 5))
    expect(sync.getSnapshot().version).toBe(1)
    network.serve()
    await pass()
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 3, document: server.state })
  })

  test('that could not be heard are caught up with', async () => {
    const sync = await start()
    feed.pause()
    expect(sync.getSnapshot().isConnected).toBe(false)
    server.write(moved('a', 5))
    server.write(moved('a', 6))
    feed.resume()
    expect(sync.getSnapshot()).toMatchObject({ isConnected: true, version: 3, document: server.state })
  })

  test('are read again where they cannot be caught up with', async () => {
    const sync = await start()
    feed.pause()
    server.write(moved('a', 5))
    feed.end('RESYNC_REQUIRED')
    await pass()
    expect(sync.getSnapshot()).toMatchObject({ version: 2, document: server.state })
    feed.resume()
    server.write(moved('a', 7))
    expect(sync.getSnapshot().version).toBe(3)
  })

  test("may take one's access away", async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    feed.end('ACCESS_REVOKED')
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', kept: 'device', error: { code: 'ACCESS_REVOKED' } })
    expect(() => sync.update({})).toThrow(expect.objectContaining({ code: 'ACCESS_REVOKED' }))
    await pass(LONG_MS)
    expect(network.saves).toEqual([])
  })

  test('are listened to again after the stream ended of itself', async () => {
    await start()
    feed.end(null)
    await pass(LONG_MS)
    expect(feed.listeners).toBe(1)
  })

  test('without a feed they are met when saving, and when the page is seen again', async () => {
    const sync = await start({}, null)
    expect(sync.getSnapshot().isConnected).toBe(true)
    server.write(moved('b', 5))
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    expect(sync.getSnapshot()).toMatchObject({ version: 3, document: server.state })
    server.write(moved('b', 6))
    document.dispatchEvent(new Event('visibilitychange'))
    await pass()
    expect(sync.getSnapshot()).toMatchObject({ version: 4, document: server.state })
  })

  test('two pages come together', async () => {
    const [one, two] = [await start(), await start()]
    one.update(moved('a', 2))
    two.update(moved('b', 3))
    await pass(LONG_MS)
    expect(one.getSnapshot().document).toEqual(server.state)
    expect(two.getSnapshot().document).toEqual(server.state)
    expect(server.state).toMatchObject({ blocks: { a: { x: 2 }, b: { x: 3 } } })
  })
})

describe('leaving', () => {
  test('sends everything in one request, each save as it was or as the last', async () => {
    const sync = await start()
    network.isHeld = true
    sync.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    sync.update(moved('b', 2))
    leave()
    expect(network.calls.at(-1)).toMatchObject({
      keepalive: true,
      variables: {
        inputs: [
          { sequence: 1, reason: 'DEBOUNCED' },
          { sequence: 2, reason: 'UNLOAD', baseVersion: 1 },
        ],
      },
    })
    network.serve()
    await pass()
    expect(server.version).toBe(3)
    expect([...server.decided.values()]).toEqual([1, 1])
  })

  test('calls fetch before it returns', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    const before = network.calls.length
    leave()
    expect(network.calls.length).toBe(before + 1)
  })

  test('sends nothing where nothing is unsaved', async () => {
    await start()
    leave()
    expect(network.saves).toEqual([])
  })

  test('without autosave, too, nothing is lost', async () => {
    const sync = await start({ autosave: false })
    sync.update(moved('a', 2))
    leave()
    await pass()
    expect(xOf(server.state, 'a')).toBe(2)
  })

  test('a page that is only hidden goes on', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    document.dispatchEvent(new Event('visibilitychange'))
    await pass()
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 2, document: server.state })
    sync.update(moved('a', 3))
    await sync.flush()
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', version: 3 })
  })

  test('a page that comes back is the same one, and hears what it missed', async () => {
    const sync = await start()
    const { clientId } = sync
    sync.update(moved('a', 2))
    leave()
    server.write(moved('b', 7))
    await comeBack()
    expect(sync.clientId).toBe(clientId)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', document: server.state })
    sync.update(moved('a', 4))
    await sync.flush()
    expect(xOf(server.state, 'a')).toBe(4)
  })

  test('a page whose work was sent by another meanwhile begins anew', async () => {
    const sync = await start()
    const { clientId } = sync
    network.isUp = false
    sync.update(moved('a', 2))
    leave()
    await pass()
    network.isUp = true
    const other = await start()
    expect(other.clientId).toBe(clientId)
    await pass()
    expect(xOf(server.state, 'a')).toBe(2)
    const coming = comeBack()
    expect(xOf(sync.getSnapshot().document, 'a')).toBe(2)
    await coming
    expect(sync.clientId).not.toBe(clientId)
    sync.update(moved('b', 2))
    await sync.flush()
    expect(server.state).toMatchObject({ blocks: { a: { x: 2 }, b: { x: 2 } } })
    expect([...server.decided.values()]).toEqual([1, 1])
  })
})

describe('what a tab left behind', () => {
  const leaveWork = async (edit = moved('a', 2), workflowId = 'w') => {
    const sync = await start({ workflowId })
    network.isUp = false
    sync.update(edit)
    await pass(DEBOUNCE_MS)
    sync.update((document) => ({ ...document, name: 'left' }))
    crash(sync)
    network.isUp = true
    return sync.clientId
  }

  test('is shown and sent by the next one, which goes on in its name', async () => {
    const clientId = await leaveWork()
    network.isHeld = true
    const opening = start()
    network.serve()
    const sync = await opening
    expect(sync.getSnapshot().document).toMatchObject({ blocks: { a: { x: 2 } }, name: 'left' })
    await pass(LONG_MS)
    expect(sync.clientId).toBe(clientId)
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', kept: 'server', document: server.state })
    expect(storage.length).toBe(0)
    sync.update(moved('b', 3))
    await sync.flush()
    expect([...server.decided.keys()]).toEqual([1, 2, 3].map((sequence) => `${clientId} ${sequence}`))
  })

  test('goes out on its own base, so that what others did since is not overwritten unseen', async () => {
    await leaveWork()
    server.write(moved('a', 5))
    const sync = await start()
    await pass(LONG_MS)
    expect(network.saves).toContainEqual(expect.objectContaining({ sequence: 1, baseVersion: 1 }))
    expect(sync.getSnapshot()).toMatchObject({ status: 'conflict', document: server.state })
  })

  test('is not applied again where it had arrived', async () => {
    const first = await start()
    network.losesAnswers = true
    first.update(moved('a', 2))
    await pass(DEBOUNCE_MS)
    crash(first)
    network.losesAnswers = false
    server.write(moved('a', 5))
    const sync = await start()
    await pass(LONG_MS)
    expect(xOf(server.state, 'a')).toBe(5)
    expect(sync.getSnapshot()).toMatchObject({ document: server.state, hasUnsynced: false })
  })

  test('gives way to newer work after ten minutes', async () => {
    const first = await start()
    first.update(moved('a', 2))
    crash(first)
    server.write(moved('a', 5))
    vi.setSystemTime(Date.now() + 11 * LONG_MS)
    const sync = await start()
    await pass()
    expect(network.saves).toMatchObject([{ mode: 'STRICT' }])
    expect(sync.getSnapshot()).toMatchObject({ status: 'conflict', document: server.state, hasUnsynced: false })
    expect(xOf(server.state, 'a')).toBe(5)
  })

  test.each([
    ['at once', 0],
    ['after ten minutes', 11 * LONG_MS],
  ])('may have been sent by the browser itself when the tab died: found %s', async (_, ms) => {
    const queued: RequestInit[] = []
    vi.stubGlobal('fetchLater', (_url: string, init: RequestInit) => queued.push(init))
    const first = await start()
    first.update(moved('a', 2))
    crash(first)
    await fetch('/graphql', queued.at(-1))
    server.write(moved('a', 5))
    vi.setSystemTime(Date.now() + ms)
    const sync = await start()
    await pass()
    expect(xOf(server.state, 'a')).toBe(5)
    expect([...server.decided.values()]).toEqual([1])
    expect(sync.getSnapshot()).toMatchObject({ status: 'saved', hasUnsynced: false, document: server.state })
  })

  test.each([
    ['its next save', 1],
    ['many saves', 20],
  ])('overwrites nothing unseen where %s arrived that its outbox has lost', async (_, saves) => {
    const first = await start()
    first.update(moved('a', 2))
    const kept = [...storage.texts]
    for (let x = 3; x < 3 + saves; x++) {
      first.update(moved('a', x))
      await first.flush()
    }
    crash(first)
    kept.forEach(([key, text]) => storage.setItem(key, text))
    const sync = await start()
    await pass(LONG_MS)
    const shown = { status: 'conflict', problems: [], document: server.state, hasUnsynced: false }
    expect(sync.getSnapshot()).toMatchObject(shown)
    expect(sync.conflicts).toHaveLength(1)
    sync.update(moved('b', 2))
    await sync.flush()
    expect(xOf(server.state, 'b')).toBe(2)
    expect(storage.length).toBe(0)
  })

  test('of another workflow overwrites nothing unseen either', async () => {
    const first = await start()
    first.update(moved('a', 2))
    const kept = [...storage.texts]
    first.update(moved('a', 3))
    await first.flush()
    crash(first)
    kept.forEach(([key, text]) => storage.setItem(key, text))
    await start({ workflowId: 'other', initial: { blocks: {} } })
    await pass(LONG_MS)
    expect(server.conflicts).toHaveLength(1)
    expect(storage.length).toBe(0)
  })

  test('of another workflow is sent beside', async () => {
    await leaveWork()
    const other = await start({ workflowId: 'other', initial: { blocks: {} } })
    await pass(LONG_MS)
    expect(server.state).toMatchObject({ blocks: { a: { x: 2 } }, name: 'left' })
    expect(other.getSnapshot().workflowId).toBe('other')
    expect(storage.length).toBe(0)
  })

  test('by somebody else is left alone', async () => {
    await leaveWork()
    network.viewer = 'somebody else'
    const sync = await start()
    await pass(LONG_MS)
    expect(server.version).toBe(1)
    expect(sync.status).toBe('idle')
    expect(storage.length).toBe(1)
  })
})

describe('undoing', () => {
  test("takes back one's own, on top of what others did", async () => {
    const sync = await start()
    sync.update(moved('a', 2), { step: 'drag' })
    sync.update(moved('a', 3), { step: 'drag' })
    expect(sync.getSnapshot()).toMatchObject({ canUndo: true, canRedo: false })
    server.write(moved('b', 5))
    sync.undo()
    expect(sync.getSnapshot()).toMatchObject({
      canUndo: false,
      canRedo: true,
      hasUnsynced: false,
      document: server.state,
    })
    sync.redo()
    await sync.flush()
    expect(server.state).toMatchObject({ blocks: { a: { x: 3 }, b: { x: 5 } } })
    sync.undo()
    await sync.flush()
    expect(server.state).toMatchObject({ blocks: { a: { x: 1 }, b: { x: 5 } } })
  })

  test('does nothing where there is nothing to take back', async () => {
    const sync = await start()
    const before = sync.getSnapshot()
    sync.undo()
    sync.redo()
    expect(sync.getSnapshot()).toBe(before)
  })
})

describe('going elsewhere', () => {
  test('another workflow is shown once this one is saved', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    network.reads['other'] = { version: 4, state: { name: 'other' } }
    await sync.switchTo('other')
    expect(xOf(server.state, 'a')).toBe(2)
    await pass()
    expect(sync.getSnapshot()).toMatchObject({
      workflowId: 'other',
      version: 4,
      document: { name: 'other' },
      canUndo: false,
    })
  })

  test('what could not be saved goes out later', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    network.isUp = false
    await sync.switchTo('other', { initial: { blocks: {} } })
    network.isUp = true
    await pass(LONG_MS)
    expect(xOf(server.state, 'a')).toBe(2)
    expect(storage.length).toBe(0)
  })

  test('who comes back finds what could not be saved, and goes on', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    network.isUp = false
    await sync.switchTo('other', { initial: { blocks: {} } })
    const back = sync.switchTo('w')
    network.isUp = true
    await back
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ workflowId: 'w', document: server.state, hasUnsynced: false })
    sync.update(moved('a', 3))
    await sync.flush()
    expect([...server.decided.values()]).toEqual([1, 1])
    expect(xOf(server.state, 'a')).toBe(3)
  })

  test('closing saves, and then nothing runs', async () => {
    const sync = await start()
    sync.update(moved('a', 2))
    await sync.close()
    expect(xOf(server.state, 'a')).toBe(2)
    await pass(2_000) // that IndexedDB is waited for
    expect(vi.getTimerCount()).toBe(0)
    expect(feed.listeners).toBe(0)
    await expect(sync.flush()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => sync.update({})).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    expect(sync.status).toBe('saved')
  })
})
