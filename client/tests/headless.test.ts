import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createWorkflowSync } from '../src/sync.js'
import { FakeNetwork } from './network.js'
import { FakeServer } from './server.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('where there is no page, no storage and no locks, a workflow can still be edited', async () => {
  expect('window' in globalThis || 'document' in globalThis || 'localStorage' in globalThis).toBe(false)
  const server = new FakeServer()
  server.write(() => ({ name: 'first' }))
  new FakeNetwork(server)
  const sync = createWorkflowSync({ endpoint: 'http://localhost/graphql', workflowId: 'w', getAuth: () => ({}) })
  await vi.advanceTimersByTimeAsync(0)
  sync.update({ name: 'second' })
  expect(sync.getSnapshot()).toMatchObject({ status: 'dirty', kept: 'nowhere' })
  await expect(sync.flush()).resolves.toMatchObject({ version: 2 })
  expect(server.state).toEqual({ name: 'second' })
  await sync.close()
})
