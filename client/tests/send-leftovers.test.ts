// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sendLeftovers } from '../src/send-leftovers.js'
import { createWorkflowSync } from '../src/sync.js'
import { FakeBrowser } from './locks.js'
import { FakeNetwork } from './network.js'
import { BAD, FakeServer } from './server.js'
import { FakeStorage } from './storage.js'

const LONG_MS = 60_000

let server: FakeServer
let network: FakeNetwork
let storage: FakeStorage
let browser: FakeBrowser
let ends: (() => void)[]

beforeEach(() => {
  vi.useFakeTimers()
  server = new FakeServer()
  server.write(() => ({ x: 1 }))
  network = new FakeNetwork(server)
  storage = new FakeStorage()
  browser = new FakeBrowser()
  ends = []
})

afterEach(() => {
  for (const end of ends) end()
  vi.useRealTimers()
})

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

const inATab = <T>(run: () => T): T => {
  vi.stubGlobal('navigator', { locks: browser.open() })
  return run()
}

const connection = { endpoint: '/graphql', getAuth: () => ({}) }

/** An editor that was closed while the server was away. */
const leaveWork = async (x: string | number) => {
  const sync = inATab(() => createWorkflowSync({ ...connection, workflowId: 'w', storage }))
  await pass()
  network.isUp = false
  sync.update((document) => ({ ...document, x }))
  await sync.close()
}

const list = (onSent?: (id: string) => void) => {
  const end = inATab(() => sendLeftovers({ ...connection, storage, ...(onSent && { onSent }) }))
  ends.push(end)
  return end
}

describe('a page that shows no workflow', () => {
  test('sends what a closed tab left, once, and tells of it', async () => {
    await leaveWork(2)
    network.isUp = true
    const sent: string[] = []
    list((id) => sent.push(id))
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 2 })
    expect([...server.decided.values()]).toEqual([1])
    expect(sent).toEqual(['w'])
    expect(storage.length).toBe(0)
  })

  test('sends what is left while it is open, and once the server is back', async () => {
    list()
    await leaveWork(2)
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 1 })
    network.isUp = true
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 2 })
    expect(storage.length).toBe(0)
  })

  test('leaves alone a tab that lives', async () => {
    const sync = inATab(() => createWorkflowSync({ ...connection, workflowId: 'w', storage, autosave: false }))
    await pass()
    sync.update({ x: 2 })
    list()
    await pass(LONG_MS)
    expect(network.saves).toEqual([])
    await sync.close()
    expect(server.state).toEqual({ x: 2 })
  })

  test("leaves alone somebody else's work", async () => {
    await leaveWork(2)
    network.isUp = true
    network.viewer = 'somebody else'
    const { length } = network.saves
    list()
    await pass(LONG_MS)
    expect(network.saves).toHaveLength(length)
    network.viewer = 'me'
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 2 })
  })

  test('keeps what is refused for whoever opens the workflow', async () => {
    await leaveWork(BAD)
    network.isUp = true
    const sent: string[] = []
    list((id) => sent.push(id))
    await pass(LONG_MS)
    const { length } = network.saves
    await pass(LONG_MS)
    expect(network.saves).toHaveLength(length)
    expect(sent).toEqual(['w'])
    for (const end of ends) end()
    const sync = inATab(() => createWorkflowSync({ ...connection, workflowId: 'w', storage }))
    await pass(LONG_MS)
    expect(sync.getSnapshot()).toMatchObject({ status: 'error', hasUnsynced: true, document: { x: BAD } })
    expect(sync.getSnapshot().problems).not.toEqual([])
    sync.discard()
    await sync.close()
  })

  test('makes anew what leads nowhere any more', async () => {
    await leaveWork(2)
    const [key = '', text = ''] = [...storage.texts][0] ?? []
    const box = JSON.parse(text)
    const [segment] = box.segments
    const changes = [{ path: ['gone'], remove: true }, ...segment.changes]
    storage.setItem(key, JSON.stringify({ ...box, segments: [{ ...segment, sent: false, changes }] }))
    network.isUp = true
    list()
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 2 })
    expect(storage.length).toBe(0)
  })

  test('asks once who it is, and nothing more where nothing was left', async () => {
    list()
    await pass(LONG_MS)
    expect(network.calls).toHaveLength(1)
  })

  test("stands in nobody's way while it sleeps, and looks again when it is back", async () => {
    list()
    window.dispatchEvent(new Event('pagehide'))
    await leaveWork(2)
    network.isUp = true
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 1 })
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 2 })
  })

  test('sends under the lock of whom it sends for, also where a dead tab had sent something else', async () => {
    const sync = inATab(() => createWorkflowSync({ ...connection, workflowId: 'w', storage }))
    await pass()
    sync.update({ x: 2 })
    const lost = [...storage.texts]
    sync.update({ x: 3 })
    await sync.close()
    lost.forEach(([key, text]) => storage.setItem(key, text))
    const { fetch } = globalThis
    const senders = new Map<string, boolean>()
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      const { clientId } = JSON.parse(String(init.body)).variables.input ?? {}
      if (clientId) senders.set(clientId, browser.queues.has(`workflow-sync:${clientId}`))
      return fetch(url, init)
    })
    list()
    await pass(LONG_MS)
    expect([...senders.values()]).toEqual([true, true])
    expect(server.conflicts).toHaveLength(1)
    expect(storage.length).toBe(0)
  })

  test('writes no more to what it was sending when it ended, as somebody else goes on with that', async () => {
    await leaveWork(2)
    network.isUp = true
    list()
    await pass()
    const { fetch } = globalThis
    let arrive = () => {}
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      vi.stubGlobal('fetch', fetch)
      await new Promise<void>((resolve) => (arrive = resolve))
      return fetch(url, init)
    })
    await pass(LONG_MS)
    for (const end of ends) end()
    const sync = inATab(() => createWorkflowSync({ ...connection, workflowId: 'w', storage, autosave: false }))
    await pass(LONG_MS)
    sync.update((document) => ({ ...document, y: 3 }))
    const kept = [...storage.texts.values()]
    expect(kept).toHaveLength(1)
    arrive()
    await pass(LONG_MS)
    expect([...storage.texts.values()]).toEqual(kept)
    await sync.close()
    expect(server.state).toEqual({ x: 2, y: 3 })
  })

  test('ends', async () => {
    list()()
    await leaveWork(2)
    network.isUp = true
    await pass(LONG_MS)
    expect(server.state).toEqual({ x: 1 })
    expect(vi.getTimerCount()).toBe(0)
  })
})
