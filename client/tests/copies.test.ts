// @vitest-environment jsdom
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readDocument } from '../src/outbox.js'
import { createWorkflowSync } from '../src/sync.js'
import type { WorkflowSync } from '../src/types.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { FakeServer } from './server.js'
import { FakeStorage } from './storage.js'

const DOCUMENT = { blocks: { a: { x: 1 } } }

let network: FakeNetwork
let feed: FakeFeed
let open: WorkflowSync[]

beforeEach(() => {
  const server = new FakeServer()
  server.write(() => DOCUMENT)
  network = new FakeNetwork(server)
  feed = new FakeFeed(server)
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((sync) => sync.close()))
})

const start = () => {
  const storage = new FakeStorage()
  const getAuth = () => ({})
  const sync = createWorkflowSync({ endpoint: '/graphql', workflowId: 'w', getAuth, storage, feed: feed.factory })
  open.push(sync)
  return sync
}

const kept = () => vi.waitFor(async () => expect(await readDocument('w')).toMatchObject({ document: DOCUMENT }))

describe('a copy of the document', () => {
  test('is shown where the server cannot be reached', async () => {
    start()
    await kept()
    network.isUp = false
    const sync = start()
    await vi.waitFor(() => expect(sync.getSnapshot()).toMatchObject({ status: 'offline', document: DOCUMENT }))
  })

  test('is forgotten with the right to see it', async () => {
    const sync = start()
    await vi.waitFor(() => expect(sync.status).toBe('idle'))
    await kept()
    feed.end('ACCESS_REVOKED')
    await vi.waitFor(async () => expect(await readDocument('w')).toBeNull())
  })
})
