// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { persist, subscribeWithSelector, type PersistStorage } from 'zustand/middleware'
import { immer } from 'zustand/middleware/immer'
import { createWorkflowSync } from '../src/sync.js'
import type { Document, Json, Options, WorkflowSync } from '../src/types.js'
import { workflowSync, type StoreOptions } from '../src/zustand.js'
import { FakeBrowser } from './locks.js'
import { createMemorySync, type MemorySync } from './memory.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { FakeServer } from './server.js'
import { FakeStorage, refusing } from './storage.js'

interface State {
  readonly blocks: { readonly [id: string]: Json }
  readonly loops: { readonly [id: string]: Json }
  readonly zoom: number
  readonly add: (id: string) => void
}

const DOCUMENT: Document = { blocks: { a: { x: 1 } }, loops: {} }

const create = (client: WorkflowSync, more: Partial<StoreOptions<State>> = {}) =>
  createStore<State>()(
    workflowSync(
      (set) => ({
        blocks: {},
        loops: {},
        zoom: 1,
        add: (id) => set(({ blocks }) => ({ blocks: { ...blocks, [id]: { x: 0 } } })),
      }),
      { client, mapping: ['blocks', 'loops'], ...more },
    ),
  )

/** A store on a client that has the document. */
const begin = (document = DOCUMENT, more: Partial<StoreOptions<State>> = {}) => {
  const client = createMemorySync(document)
  return { client, store: create(client, more) }
}

const documents = ({ edits }: MemorySync) => edits.map(({ document }) => document)

describe('what is set in the store', () => {
  test('is an edit of the document, with everything else as it was', () => {
    const { client, store } = begin({ ...DOCUMENT, other: 1 })
    store.getState().add('b')
    expect(documents(client)).toEqual([{ blocks: { a: { x: 1 }, b: { x: 0 } }, loops: {}, other: 1 }])
    expect(client.edits[0]?.document['loops']).toBe(client.getSnapshot().document['loops'])
  })

  test('is none where it is not mapped, or the same', () => {
    const { client, store } = begin()
    store.setState({ zoom: 2 })
    store.setState({ blocks: store.getState().blocks })
    expect(client.edits).toEqual([])
  })

  test('is told to nobody where it came from there', () => {
    const { client, store } = begin()
    const heard = vi.fn()
    store.subscribe(heard)
    store.getState().add('b')
    expect(heard).toHaveBeenCalledOnce()
    expect(client.edits).toHaveLength(1)
  })

  test('does not contain functions, and keeps them in the store', () => {
    const { client, store } = begin()
    const run = () => {}
    const blocks = { b: { run, x: 1, list: [run, 2], gone: undefined } } as unknown as State['blocks']
    store.setState({ blocks })
    expect(documents(client)).toEqual([{ ...DOCUMENT, blocks: { b: { x: 1, list: [null, 2] } } }])
    client.become({ status: 'saved' })
    expect(store.getState().blocks).toBe(blocks)
  })

  test('takes a key out of the document where there is none any more', () => {
    const { client, store } = begin()
    store.setState({ loops: undefined as never })
    expect(documents(client)).toEqual([{ blocks: DOCUMENT['blocks'] }])
  })

  test('stays in the store where it is not taken', () => {
    const { client, store } = begin()
    client.become({ role: 'VIEWER' })
    store.getState().add('b')
    expect(store.getState().blocks).toHaveProperty('b')
    expect(client.edits).toEqual([])
  })

  test.each([
    [{}, false],
    [{ allowEmpty: true }, true],
  ])('that is nothing is meant by %j', (how, expected) => {
    const { client, store } = begin(DOCUMENT, how)
    store.setState({ blocks: {} })
    expect(client.edits[0]?.options).toEqual({ allowEmpty: expected })
  })
})

describe('what the document becomes', () => {
  test('is in the store from the beginning, and then whenever somebody else edits', () => {
    const { client, store } = begin()
    expect(store.getState()).toMatchObject({ ...DOCUMENT, zoom: 1 })
    client.become({ document: { ...DOCUMENT, blocks: { a: { x: 9 } } } })
    expect(store.getState().blocks).toEqual({ a: { x: 9 } })
    expect(client.edits).toEqual([])
  })

  test('does not touch what is equal already', () => {
    const { client, store } = begin()
    const { loops } = store.getState()
    const heard = vi.fn()
    store.subscribe(heard)
    client.become({ document: JSON.parse(JSON.stringify(DOCUMENT)) })
    expect(heard).not.toHaveBeenCalled()
    client.become({ document: { blocks: {}, loops: {} } })
    expect(store.getState().loops).toBe(loops)
  })

  test('is answered by what listeners set in turn', () => {
    const { client, store } = begin()
    store.subscribe(({ blocks }) => {
      if ('b' in blocks && !('c' in blocks)) store.getState().add('c')
    })
    client.become({ document: { ...DOCUMENT, blocks: { b: {} } } })
    expect(documents(client)).toEqual([{ ...DOCUMENT, blocks: { b: {}, c: { x: 0 } } }])
  })

  test('is not there before it is loaded, and wins over what was set until then', () => {
    const client = createMemorySync({}, { status: 'loading', version: 0 })
    const store = create(client)
    store.getState().add('early')
    client.become({ isConnected: true })
    expect(store.getState().blocks).toHaveProperty('early')
    client.become({ document: DOCUMENT, version: 1, status: 'idle' })
    expect(store.getState()).toMatchObject(DOCUMENT)
    expect(client.edits).toEqual([])
  })

  test('of another workflow has nothing of the one before', () => {
    const { client, store } = begin({ blocks: { a: {} }, loops: { l: {} } })
    const shown = () => [store.getState().blocks, store.getState().loops]
    client.become({ workflowId: 'v', document: {}, version: 0, status: 'loading' })
    expect(shown()).toEqual([{}, {}])
    client.become({ document: { blocks: { b: {} }, loops: { m: {} } }, version: 1, status: 'idle' })
    client.become({ document: { blocks: { b: {} } } })
    expect(shown()).toEqual([{ b: {} }, {}])
    expect(client.edits).toEqual([])
  })
})

test('what other middleware sets while the store is created is no edit', () => {
  const client = createMemorySync(DOCUMENT)
  const config = workflowSync((): State => ({ blocks: {}, loops: {}, zoom: 1, add: () => {} }), {
    client,
    mapping: ['blocks', 'loops'],
  })
  const store = createStore<State>((set, get, store) => {
    const state = config(set, get, store as never)
    set({ blocks: {} })
    return state
  })
  expect(store.getState()).toMatchObject(DOCUMENT)
  expect(client.edits).toEqual([])
})

describe("a mapping of one's own", () => {
  interface Nested {
    readonly graph: { readonly blocks: Json }
    readonly secret: string
  }
  const open = (client: WorkflowSync) =>
    createStore<Nested>()(
      workflowSync((): Nested => ({ graph: { blocks: {} }, secret: 'mine' }), {
        client,
        mapping: {
          read: ({ graph }) => ({ blocks: graph.blocks }),
          write: ({ blocks = {} }) => ({ graph: { blocks } }),
        },
      }),
    )

  test('reads and writes', () => {
    const client = createMemorySync(DOCUMENT)
    const store = open(client)
    expect(store.getState()).toEqual({ graph: { blocks: DOCUMENT['blocks'] }, secret: 'mine' })
    store.setState({ graph: { blocks: { b: {} } }, secret: 'still' })
    expect(documents(client)).toEqual([{ ...DOCUMENT, blocks: { b: {} } }])
    client.become({ document: { blocks: { c: {} } } })
    expect(store.getState()).toEqual({ graph: { blocks: { c: {} } }, secret: 'still' })
    expect(client.edits).toHaveLength(1)
  })
})

describe('with other middleware', () => {
  const other = { ...DOCUMENT, blocks: { theirs: {} } }
  const plain = (): State => ({ blocks: {}, loops: {}, zoom: 1, add: () => {} })
  const kept = (texts = new FakeStorage()): PersistStorage<State> => ({
    getItem: (name) => JSON.parse(texts.getItem(name) ?? 'null'),
    setItem: (name, value) => texts.setItem(name, JSON.stringify(value)),
    removeItem: (name) => texts.removeItem(name),
  })
  const old = () => {
    const texts = new FakeStorage()
    texts.setItem('s', JSON.stringify({ state: { blocks: { old: {} }, zoom: 3 }, version: 0 }))
    return kept(texts)
  }
  const mapping = ['blocks', 'loops'] as const

  test('immer edits in place', () => {
    const client = createMemorySync(DOCUMENT)
    const store = createStore<State>()(workflowSync(immer(plain), { client, mapping: [...mapping] }))
    store.setState((state) => void (state.blocks['b'] = { x: 2 }))
    expect(documents(client)).toEqual([{ ...DOCUMENT, blocks: { a: { x: 1 }, b: { x: 2 } } }])
    client.become({ document: other })
    expect(store.getState().blocks).toEqual({ theirs: {} })
  })

  test.each(['inside', 'outside'])('subscribeWithSelector hears of it from %s', (place) => {
    const client = createMemorySync(DOCUMENT)
    const options = { client, mapping: [...mapping] }
    const store =
      place === 'inside'
        ? createStore<State>()(workflowSync(subscribeWithSelector(plain), options))
        : createStore<State>()(subscribeWithSelector(workflowSync(plain, options)))
    const heard = vi.fn()
    store.subscribe(({ blocks }) => blocks, heard)
    client.become({ document: other })
    expect(heard).toHaveBeenCalledExactlyOnceWith({ theirs: {} }, DOCUMENT['blocks'])
    store.setState({ blocks: {} })
    expect(documents(client)).toEqual([{ ...other, blocks: {} }])
  })

  describe.each(['inside', 'outside'])('persist %s', (place) => {
    const open = (client: WorkflowSync, storage: PersistStorage<State>) => {
      const options = { client, mapping: [...mapping] }
      return place === 'inside'
        ? createStore<State>()(workflowSync(persist(plain, { name: 's', storage }), options))
        : createStore<State>()(persist(workflowSync(plain, options), { name: 's', storage }))
    }

    test('what was kept from before gives way to the document, at once and without an edit', async () => {
      const client = createMemorySync(DOCUMENT)
      const store = open(client, old())
      await Promise.resolve()
      expect(store.getState()).toMatchObject({ ...DOCUMENT, zoom: 3 })
      expect(client.edits).toEqual([])
      store.setState({ blocks: { b: {} } })
      expect(documents(client)).toEqual([{ ...DOCUMENT, blocks: { b: {} } }])
    })

    test('what comes late from a storage that is slow is no edit either', async () => {
      const client = createMemorySync(DOCUMENT)
      const storage = old()
      const store = open(client, { ...storage, getItem: async (name) => storage.getItem(name) })
      await vi.waitFor(() => expect(store.persist.hasHydrated()).toBe(true))
      expect(store.getState()).toMatchObject({ ...DOCUMENT, zoom: 3 })
      expect(client.edits).toEqual([])
    })

    test('a storage that is full keeps no edit from the store, nor from the client', () => {
      const client = createMemorySync(DOCUMENT)
      const store = open(client, {
        ...kept(),
        setItem: () => {
          throw new Error('It is full.')
        },
      })
      expect(() => client.become({ document: other })).not.toThrow()
      expect(store.getState().blocks).toEqual({ theirs: {} })
      expect(() => store.setState({ blocks: {} })).toThrow('It is full.') // by persist itself, which comes last
      expect(documents(client)).toEqual([{ ...other, blocks: {} }])
    })
  })

  test('types of all of them are kept', () => {
    const client = createMemorySync(DOCUMENT)
    const store = createStore<State>()(
      workflowSync(subscribeWithSelector(persist(immer(plain), { name: 's', storage: kept() })), {
        client,
        mapping: ['blocks'],
      }),
    )
    expect(store.sync).toBe(client)
    expectTypeOf(store.sync).toExtend<WorkflowSync>()
    expectTypeOf(store.getState()).toEqualTypeOf<State>()
    expectTypeOf(store.persist.hasHydrated).returns.toBeBoolean()
    // @ts-expect-error a key that the state does not have
    createStore<State>()(workflowSync(plain, { client, mapping: ['nothing'] }))
  })
})

describe('on the real engine', () => {
  let server: FakeServer
  let open: WorkflowSync[]

  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('navigator', { locks: new FakeBrowser().open() })
    server = new FakeServer()
    server.write(() => DOCUMENT)
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map((sync) => sync.close()))
    vi.useRealTimers()
  })

  const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
  const start = async (more: Partial<Options> = {}) => {
    const client = createWorkflowSync({
      endpoint: '/graphql',
      workflowId: 'w',
      getAuth: () => ({}),
      storage: new FakeStorage(),
      ...more,
    })
    open.push(client)
    const store = create(client)
    await pass()
    return { client, store }
  }

  test("two stores edit one workflow, and undo is each one's own", async () => {
    new FakeNetwork(server)
    const feed = new FakeFeed(server).factory
    const [mine, theirs] = [await start({ feed }), await start({ feed })]
    mine.store.getState().add('mine')
    theirs.store.getState().add('theirs')
    await pass(2_000)
    const both = { a: { x: 1 }, mine: { x: 0 }, theirs: { x: 0 } }
    expect(server.state).toEqual({ ...DOCUMENT, blocks: both })
    expect(mine.store.getState().blocks).toEqual(both)
    expect(theirs.store.getState().blocks).toEqual(both)
    mine.store.sync.undo()
    await pass(2_000)
    expect(theirs.store.getState().blocks).toEqual({ a: { x: 1 }, theirs: { x: 0 } })
    expect(server.entries).toHaveLength(4)
  })

  test('a storage that refuses everything throws nothing out of set', async () => {
    new FakeNetwork(server)
    const { store, client } = await start({ storage: refusing })
    expect(() => store.getState().add('b')).not.toThrow()
    expect(client.hasUnsynced).toBe(true)
    await pass(2_000)
    expect(server.state).toEqual({ ...DOCUMENT, blocks: { a: { x: 1 }, b: { x: 0 } } })
  })
})
