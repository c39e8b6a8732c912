// @vitest-environment jsdom
import { act, cleanup, render, renderHook } from '@testing-library/react'
import { StrictMode, useEffect } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  useDebouncedWorkflowSync,
  usePeriodicWorkflowSync,
  useSyncOnUnload,
  useWorkflowSync,
  type WorkflowView,
} from '../src/react.js'
import { createWorkflowSync } from '../src/sync.js'
import type { Document, Options, Snapshot, WorkflowSync } from '../src/types.js'
import { FakeBrowser } from './locks.js'
import { createMemorySync } from './memory.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { FakeServer } from './server.js'
import { FakeStorage } from './storage.js'

let server: FakeServer
let network: FakeNetwork
let feed: FakeFeed
let storage: FakeStorage

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('navigator', { locks: new FakeBrowser().open() })
  server = new FakeServer()
  server.write(() => ({ blocks: { a: { x: 1 } } }))
  network = new FakeNetwork(server)
  feed = new FakeFeed(server)
  storage = new FakeStorage()
})

afterEach(async () => {
  cleanup()
  await pass()
  vi.useRealTimers()
})

const pass = (ms = 0) => act(() => vi.advanceTimersByTimeAsync(ms))

const options = (more: Partial<Options> = {}): Options => ({
  endpoint: '/graphql',
  workflowId: 'w',
  getAuth: () => ({}),
  storage,
  feed: feed.factory,
  ...more,
})

const reads = () =>
  network.calls.filter(({ query }) => query.includes('viewer{id}')).map(({ variables }) => variables['id'])
const blocks = (x: number): Document => ({ blocks: { a: { x } } })

describe('useWorkflowSync', () => {
  test('a workflow is loaded, edited and saved', async () => {
    const { result } = renderHook(() => useWorkflowSync(options()))
    expect(result.current).toMatchObject({ status: 'loading', document: {} })
    await pass()
    expect(result.current).toMatchObject({ status: 'idle', document: blocks(1), version: 1 })
    act(() => result.current.update(blocks(2)))
    expect(result.current).toMatchObject({ status: 'dirty', document: blocks(2), canUndo: true })
    await pass(2_000)
    expect(result.current.status).toBe('saved')
    expect(server.state).toEqual(blocks(2))
  })

  test('in StrictMode, and whatever objects its options are, it is opened once, and let go at the end', async () => {
    const { rerender, unmount } = renderHook(() => useWorkflowSync(options()), { wrapper: StrictMode })
    await pass()
    rerender()
    await pass()
    expect(reads()).toEqual(['w'])
    expect(feed.listeners).toBe(1)
    unmount()
    await pass()
    expect(feed.listeners).toBe(0)
  })

  test('the newest getAuth is asked', async () => {
    const asked: string[] = []
    const getAuth = (name: string) => () => {
      asked.push(name)
      return { headers: { authorization: name }, expiresAt: 0 }
    }
    const { result, rerender } = renderHook(({ name }) => useWorkflowSync(options({ getAuth: getAuth(name) })), {
      initialProps: { name: 'old' },
    })
    await pass()
    rerender({ name: 'new' })
    act(() => result.current.update(blocks(2)))
    await pass(2_000)
    expect(asked.at(0)).toBe('old')
    expect(asked.at(-1)).toBe('new')
  })

  test('another workflow is switched to, after what is unsaved was saved', async () => {
    const { result, rerender } = renderHook(({ workflowId }) => useWorkflowSync(options({ workflowId, initial: {} })), {
      initialProps: { workflowId: 'w' },
    })
    await pass()
    const { sync } = result.current
    act(() => result.current.update(blocks(2)))
    rerender({ workflowId: 'v' })
    await pass()
    expect(result.current).toMatchObject({ workflowId: 'v', sync })
    expect(server.state).toEqual(blocks(2))
    rerender({ workflowId: 'u' })
    rerender({ workflowId: 'v' })
    await pass()
    expect(result.current.workflowId).toBe('v')
  })

  test('a switch by hand stays until the options name another workflow', async () => {
    const { result, rerender } = renderHook(() => useWorkflowSync(options()))
    await pass()
    await act(() => result.current.sync.switchTo('v'))
    rerender()
    await pass()
    expect(result.current.workflowId).toBe('v')
  })

  test('another endpoint starts anew', async () => {
    const { result, rerender } = renderHook(({ endpoint }) => useWorkflowSync(options({ endpoint })), {
      initialProps: { endpoint: '/graphql' },
    })
    await pass()
    const { sync } = result.current
    rerender({ endpoint: '/other' })
    await pass()
    expect(result.current.sync).not.toBe(sync)
    expect(reads()).toEqual(['w', 'w'])
  })

  test('what is unsaved when the component goes is saved', async () => {
    const { result, unmount } = renderHook(() => useWorkflowSync(options()))
    await pass()
    act(() => result.current.update(blocks(2)))
    unmount()
    await pass()
    expect(server.state).toEqual(blocks(2))
  })

  test('who looks at it after it was let go opens it again', async () => {
    const { result, unmount } = renderHook(() => useWorkflowSync(options()).sync)
    await pass()
    unmount()
    await pass()
    expect(feed.listeners).toBe(0)
    const again = renderHook(() => useWorkflowSync(result.current))
    await pass()
    expect(again.result.current.status).toBe('idle')
    expect(reads()).toEqual(['w', 'w'])
  })

  test('on a server it is loading, and nothing is started', async () => {
    const Shown = () => {
      const { status, document } = useWorkflowSync(options({ initial: blocks(0) }))
      return <p>{`${status} ${JSON.stringify(document)}`}</p>
    }
    expect(renderToString(<Shown />).replaceAll('&quot;', '"')).toBe(`<p>loading ${JSON.stringify(blocks(0))}</p>`)
    await pass(60_000)
    expect(network.calls).toEqual([])
  })

  test('what a child does as soon as it is there, is done', async () => {
    const flushed = vi.fn()
    const Child = ({ sync }: { readonly sync: WorkflowSync }) => {
      useEffect(() => void sync.flush().then(flushed), [sync])
      return null
    }
    const Parent = () => <Child sync={useWorkflowSync(options()).sync} />
    render(<Parent />)
    await pass()
    expect(flushed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ version: 1 }))
    expect(reads()).toEqual(['w'])
  })

  test('with a selector, only what it gives makes a component render', () => {
    const sync = createMemorySync(blocks(1))
    let renders = 0
    const { result } = renderHook(() => {
      renders++
      return useWorkflowSync(sync, ({ status, kept }) => ({ status, kept }))
    })
    const before = result.current
    act(() => sync.become({ document: blocks(2) }))
    act(() => sync.become({ version: 2 }))
    expect(renders).toBe(1)
    act(() => sync.become({ status: 'saving' }))
    expect(renders).toBe(2)
    expect(result.current).toEqual({ status: 'saving', kept: before.kept })
  })

  test.each<[string, (snapshot: Snapshot) => unknown]>([
    ['a set', ({ version }) => new Set([version])],
    ['a list', ({ version }) => [version]],
    ['a number', ({ version }) => version],
  ])('a selector that gives %s is not stale', (_, select) => {
    const sync = createMemorySync({})
    const { result } = renderHook(() => useWorkflowSync(sync, select))
    act(() => sync.become({ version: 7 }))
    expect(result.current).toEqual(select(sync.getSnapshot()))
  })

  test('another selector gives its own', () => {
    const sync = createMemorySync(blocks(1))
    const { result, rerender } = renderHook(({ key }) => useWorkflowSync(sync, (snapshot) => snapshot[key]), {
      initialProps: { key: 'status' as keyof Snapshot },
    })
    expect(result.current).toBe('idle')
    rerender({ key: 'workflowId' })
    expect(result.current).toBe('w')
  })

  test('the view stays the same object where nothing changed', () => {
    const sync = createMemorySync({})
    const { result, rerender } = renderHook((): WorkflowView => useWorkflowSync(sync))
    const before = result.current
    rerender()
    expect(result.current).toBe(before)
    expect(before.sync).toBe(sync)
  })
})

describe('useDebouncedWorkflowSync', () => {
  interface Props {
    readonly state: Document
    readonly sync?: WorkflowSync
    readonly workflowId?: string
  }

  /** An application with a store of its own, and a client that saves nothing by itself. */
  const begin = async (props: Props, more: Partial<Options> = {}) => {
    const sync = createWorkflowSync(options({ autosave: false, ...more }))
    const use = ({ state, workflowId, sync: given = sync }: Props) =>
      useDebouncedWorkflowSync(given, state, workflowId === undefined ? {} : { workflowId })
    const hook = renderHook(use, { initialProps: props })
    await pass()
    return { sync, ...hook }
  }
  const states = () => server.states.slice(1)

  test('a change is kept at once, and saved 2 s after the last one', async () => {
    const { sync, rerender } = await begin({ state: blocks(1) })
    rerender({ state: blocks(2) })
    expect(sync.getSnapshot()).toMatchObject({ document: blocks(2), kept: 'device' })
    await pass(1_999)
    rerender({ state: blocks(3) })
    await pass(1_999)
    expect(states()).toEqual([blocks(1)])
    await pass(1)
    expect(states()).toEqual([blocks(1), blocks(3)])
    await sync.close()
  })

  test('whoever never pauses saves after 10 s', async () => {
    const { sync, rerender } = await begin({ state: blocks(1) })
    for (let second = 0; second < 11; second++) {
      rerender({ state: blocks(second + 2) })
      await pass(1_000)
    }
    expect(states()).toEqual([blocks(1), blocks(11)])
    await sync.close()
  })

  test('equal states in new objects save nothing, and do not put off what waits', async () => {
    const { sync, rerender } = await begin({ state: blocks(1) })
    rerender({ state: blocks(1) })
    await pass(10_000)
    expect(network.saves).toEqual([])
    rerender({ state: blocks(2) })
    await pass(1_500)
    rerender({ state: blocks(2) })
    await pass(500)
    expect(states()).toEqual([blocks(1), blocks(2)])
    await sync.close()
  })

  test('a page that is not filled yet wipes nothing', async () => {
    const { sync, rerender } = await begin({ state: {} })
    rerender({ state: { blocks: {} } })
    rerender({ state: blocks(1) })
    await pass(10_000)
    expect(server.state).toEqual(blocks(1))
    await sync.close()
  })

  test('what changes before the workflow is loaded is no edit', async () => {
    network.isHeld = true
    const { sync, rerender } = await begin({ state: {} })
    rerender({ state: blocks(-1) })
    network.serve()
    await pass(10_000)
    expect(sync.getSnapshot()).toMatchObject({ document: blocks(1), hasUnsynced: false, version: 1 })
    rerender({ state: blocks(1) })
    expect(sync.hasUnsynced).toBe(false)
    await sync.close()
  })

  test('only what changed here is handed on, under what others did meanwhile', async () => {
    const { sync, rerender } = await begin({ state: blocks(1) })
    act(() => void server.write((state) => ({ ...state, theirs: true })))
    rerender({ state: { ...blocks(1), mine: true } })
    await pass(2_000)
    expect(server.state).toEqual({ ...blocks(1), mine: true, theirs: true })
    await sync.close()
  })

  test('when the component goes, it is saved at once', async () => {
    const { sync, rerender, unmount } = await begin({ state: blocks(1) })
    rerender({ state: blocks(2) })
    unmount()
    await pass()
    expect(states()).toEqual([blocks(1), blocks(2)])
    await sync.close()
  })

  test('the state of one workflow never gets into another', async () => {
    const { sync, rerender } = await begin({ state: blocks(1), workflowId: 'w' })
    rerender({ state: blocks(2), workflowId: 'w' })
    rerender({ state: { other: true }, workflowId: 'v' })
    await act(() => sync.switchTo('v', { initial: {} }))
    await pass(10_000)
    expect(server.state).toEqual(blocks(2))
    expect(sync.getSnapshot()).toMatchObject({ workflowId: 'v', hasUnsynced: false })
    await sync.close()
  })

  test('another client begins with the state that it is given, after the first one saved', async () => {
    const { sync, rerender } = await begin({ state: blocks(1) })
    const other = createMemorySync(blocks(5))
    rerender({ state: blocks(2) })
    rerender({ state: blocks(5), sync: other })
    await pass()
    expect(server.state).toEqual(blocks(2))
    expect(other.edits).toEqual([])
    rerender({ state: blocks(6), sync: other })
    expect(other.edits.map(({ document }) => document)).toEqual([blocks(6)])
    await sync.close()
  })

  test('what a viewer changes throws nothing', async () => {
    network.role = 'VIEWER'
    const { sync, rerender } = await begin({ state: blocks(1) })
    rerender({ state: blocks(2) })
    await pass(10_000)
    expect(network.saves).toEqual([])
    await sync.close()
  })

  test.each([
    [{}, false],
    [{ allowEmpty: true }, true],
  ])('that nothing is meant is told by %j', (how, expected) => {
    const sync = createMemorySync(blocks(1))
    const { rerender } = renderHook(({ state }) => useDebouncedWorkflowSync(sync, state, how), {
      initialProps: { state: blocks(1) },
    })
    rerender({ state: { blocks: {} } })
    expect(sync.edits).toEqual([{ document: { blocks: {} }, options: { allowEmpty: expected } }])
  })

  test('in StrictMode, too, each change counts once', () => {
    const sync = createMemorySync(blocks(1))
    const { rerender } = renderHook(({ state }) => useDebouncedWorkflowSync(sync, state), {
      initialProps: { state: blocks(1) },
      wrapper: StrictMode,
    })
    rerender({ state: blocks(2) })
    expect(sync.edits).toHaveLength(1)
  })
})

describe('usePeriodicWorkflowSync', () => {
  test('what is unsaved is saved each time, and nothing where there is nothing', async () => {
    const sync = createMemorySync(blocks(1))
    const { rerender, unmount } = renderHook(({ periodicMs }) => usePeriodicWorkflowSync(sync, { periodicMs }), {
      initialProps: { periodicMs: 5_000 },
    })
    await pass(5_000)
    expect(sync.flushes).toEqual([])
    act(() => sync.update(blocks(2)))
    await pass(4_000)
    rerender({ periodicMs: 5_000 })
    await pass(1_000)
    expect(sync.flushes).toEqual(['PERIODIC'])
    act(() => sync.update(blocks(3)))
    unmount()
    await pass(60_000)
    expect(sync.flushes).toEqual(['PERIODIC'])
  })

  test('by default it is every 30 s', async () => {
    const sync = createMemorySync(blocks(1), { hasUnsynced: true })
    renderHook(() => usePeriodicWorkflowSync(sync))
    await pass(29_999)
    expect(sync.flushes).toEqual([])
    await pass(1)
    expect(sync.flushes).toEqual(['PERIODIC'])
  })

  test('a save that fails is told by the client alone', async () => {
    const sync = createMemorySync(blocks(1), { hasUnsynced: true })
    vi.spyOn(sync, 'flush').mockRejectedValue(new Error('It is offline.'))
    renderHook(() => usePeriodicWorkflowSync(sync))
    await pass(30_000)
    expect(sync.flush).toHaveBeenCalledOnce()
  })
})

describe('useSyncOnUnload', () => {
  test('what is unsaved when the component goes is saved, and nothing before', async () => {
    const sync = createMemorySync(blocks(1))
    const { rerender, unmount } = renderHook(() => useSyncOnUnload(sync))
    act(() => sync.update(blocks(2)))
    rerender()
    await pass(60_000)
    expect(sync.flushes).toEqual([])
    unmount()
    expect(sync.flushes).toEqual(['UNLOAD'])
  })

  test('when the page is left, the client saves even where nothing is saved by itself', async () => {
    const sync = createWorkflowSync(options({ autosave: false }))
    renderHook(() => useSyncOnUnload(sync))
    await pass()
    act(() => sync.update(blocks(2)))
    await pass(60_000)
    expect(network.saves).toEqual([])
    act(() => void window.dispatchEvent(new Event('pagehide')))
    await pass()
    expect(server.state).toEqual(blocks(2))
    await sync.close()
  })
})
