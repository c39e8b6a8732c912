// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react'
import type { Node, NodeChange } from '@xyflow/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { flowOf, useWorkflowFlow, type FlowMapping } from '../src/react-flow.js'
import { createWorkflowSync } from '../src/sync.js'
import type { Document, Snapshot } from '../src/types.js'
import { FakeBrowser } from './locks.js'
import { createMemorySync } from './memory.js'
import { FakeFeed, FakeNetwork } from './network.js'
import { FakeServer } from './server.js'
import { FakeStorage } from './storage.js'

const at = (x: number, y = 0) => ({ x, y })
const block = (x: number, more: Document = {}): Document => ({ type: 'agent', position: at(x), ...more })
const edge = (id: string, source: string, target: string): Document => ({ id, source, target })

const SIM: Document = {
  blocks: {
    inner: block(1, { data: { parentId: 'loop', extent: 'parent' } }),
    loop: block(2, { type: 'loop', data: { width: 500, height: 300 } }),
    last: block(3),
  },
  edges: [edge('e1', 'loop', 'last'), edge('e2', 'loop', 'inner')],
  loops: { loop: { id: 'loop', nodes: ['inner'] } },
  parallels: { p: { nodes: ['inner', 'last'] } },
}
const LISTED: Document = {
  nodes: [
    { id: 'a', type: 'input', position: at(1.4), data: { label: 'A' }, selected: true, measured: { width: 9 } },
    { id: 'b', position: at(2), data: {}, width: 80, height: 40 },
  ],
  edges: [edge('ab', 'a', 'b')],
}

/** The flow on a page, with the client below it. */
const show = (document: Document, news: Partial<Snapshot> = {}, mapping?: FlowMapping) => {
  const sync = createMemorySync(document, news)
  const { result } = renderHook(() => useWorkflowFlow(sync, mapping))
  const change = (...changes: NodeChange[]) => act(() => result.current.onNodesChange(changes))
  const node = (id: string) => result.current.nodes.find((each) => each.id === id)
  return { sync, result, change, node, now: () => sync.getSnapshot().document }
}
const drag = (id: string, x: number, dragging = true): NodeChange => ({
  id,
  type: 'position',
  position: at(x),
  dragging,
})
const remove = (id: string): NodeChange & { type: 'remove' } => ({ id, type: 'remove' })
const ids = (nodes: readonly Node[]) => nodes.map(({ id }) => id)

afterEach(cleanup)

describe('what is drawn', () => {
  test('blocks of Sim are nodes with the block as data, parents before what is inside of them', () => {
    const { nodes, edges } = show(SIM).result.current
    expect(ids(nodes)).toEqual(['loop', 'last', 'inner'])
    expect(nodes[0]).toEqual({
      id: 'loop',
      type: 'loop',
      position: at(2),
      data: (SIM['blocks'] as Document)['loop'],
      width: 500,
      height: 300,
    })
    expect(nodes[2]).toMatchObject({ parentId: 'loop', extent: 'parent' })
    expect(edges.map(({ id }) => id)).toEqual(['e1', 'e2'])
  })

  test('nodes of a list are drawn as they are, without the selection and sizes of whoever saved them', () => {
    const { nodes, edges } = show(LISTED).result.current
    expect(nodes).toEqual([
      { id: 'a', type: 'input', position: at(1.4), data: { label: 'A' } },
      { id: 'b', position: at(2), data: {}, width: 80, height: 40 },
    ])
    expect(edges).toEqual([edge('ab', 'a', 'b')])
  })

  test.each(['data', 'state'])('a graph is found one level down, in %s', (owner) => {
    expect(ids(show({ nodes: ['names', 'only'], [owner]: LISTED }).result.current.nodes)).toEqual(['a', 'b'])
  })

  test('sizes that React Flow 11 measured are not taken for chosen ones', () => {
    const old = { id: 'a', position: at(0), data: {}, width: 80, height: 40, positionAbsolute: at(0), parentNode: 'b' }
    const [node] = show({ nodes: [old, { id: 'b', position: at(0) }] }).result.current.nodes.slice(1)
    expect(node).toEqual({ id: 'a', position: at(0), data: {}, initialWidth: 80, initialHeight: 40, parentId: 'b' })
  })

  test('blocks that are inside of each other, or of nothing that is there, are on top of all', () => {
    const inside = (parentId: string) => block(0, { data: { parentId } })
    const blocks = { a: inside('b'), b: inside('a'), c: inside('c'), d: inside('gone'), e: inside('a') }
    const { nodes } = show({ blocks }).result.current
    expect(nodes.map(({ parentId }) => parentId)).toEqual(Array(5).fill(undefined))
  })

  test('blocks without a position do not lie on each other', () => {
    const { nodes } = show({ blocks: Object.fromEntries([...'abcdefg'].map((id) => [id, {}])) }).result.current
    expect(new Set(nodes.map(({ position }) => JSON.stringify(position))).size).toBe(7)
  })

  test('edges to what is not there are left out, and stay in the document', () => {
    const document = { ...SIM, edges: [edge('e', 'loop', 'gone')] }
    const { result, sync } = show(document)
    expect(result.current.edges).toEqual([])
    act(() => result.current.onEdgesChange([{ id: 'e', type: 'select', selected: true }]))
    expect(sync.getSnapshot().document).toBe(document)
  })

  test('a document of another shape has nothing to draw', () => {
    expect(show({ nodes: ['a'], edges: 1, blocks: [] }).result.current).toMatchObject({ nodes: [], edges: [] })
  })

  test('an application draws its own nodes and edges', () => {
    const mapping: FlowMapping = {
      toNode: (node, element) => ({ ...node, type: 'block', data: { title: element['type'] } }),
      toEdge: (edge) => ({ ...edge, label: 'then' }),
    }
    const { result, node } = show(SIM, {}, mapping)
    expect(node('last')).toEqual({ id: 'last', type: 'block', position: at(3), data: { title: 'agent' } })
    expect(result.current.edges[0]).toMatchObject({ id: 'e1', label: 'then' })
    expect(flowOf(SIM, mapping)).toEqual({ nodes: result.current.nodes, edges: result.current.edges })
  })
})

describe('what is the same', () => {
  const edited = (document: Document, id: string, more: Document): Document => {
    const blocks = document['blocks'] as Document
    return { ...document, blocks: { ...blocks, [id]: { ...(blocks[id] as Document), ...more } } }
  }

  test('nodes and edges are the same objects until their block changes', () => {
    const { sync, result, node } = show(SIM)
    const { nodes, edges } = result.current
    const [loop, last] = [node('loop'), node('last')]
    act(() => sync.become({ document: edited(SIM, 'last', { name: 'Last' }) }))
    expect(node('loop')).toBe(loop)
    expect(node('last')).not.toBe(last)
    expect(result.current.nodes).not.toBe(nodes)
    expect(result.current.edges).toBe(edges)
  })

  test('nothing changes where another part of the document does', () => {
    const { sync, result } = show(SIM)
    const before = result.current
    act(() => sync.become({ document: { ...SIM, variables: {} } }))
    expect(result.current.nodes).toBe(before.nodes)
    expect(result.current.edges).toBe(before.edges)
  })

  test('a document that was read anew, and is equal, changes nothing', () => {
    const { sync, result } = show(SIM)
    const before = result.current
    act(() => sync.become({ document: JSON.parse(JSON.stringify(SIM)) }))
    expect(result.current.nodes).toBe(before.nodes)
  })

  test('a status that changes does not render', () => {
    const { sync, result } = show(SIM)
    const before = result.current
    act(() => sync.become({ status: 'saved' }))
    expect(result.current).toBe(before)
  })
})

describe('what stays in this page', () => {
  test('selection and measured sizes are drawn, and never saved', () => {
    const { sync, change, node } = show(LISTED)
    change({ id: 'b', type: 'select', selected: true })
    change({ id: 'b', type: 'dimensions', dimensions: { width: 7, height: 8 } })
    expect(node('b')).toMatchObject({ selected: true, measured: { width: 7, height: 8 }, width: 80 })
    expect(node('a')?.selected).toBeUndefined()
    expect(sync.edits).toEqual([])
  })

  test('they survive an edit by somebody else, and a selected node that comes back is not selected', () => {
    const { sync, change, node } = show(LISTED)
    change({ id: 'b', type: 'select', selected: true })
    const [a, b] = LISTED['nodes'] as Document[]
    act(() => sync.become({ document: { ...LISTED, nodes: [a ?? {}, { ...b, data: { label: 'B' } }] } }))
    expect(node('b')).toMatchObject({ selected: true, data: { label: 'B' } })
    act(() => sync.become({ document: { ...LISTED, nodes: [a ?? {}] } }))
    act(() => sync.become({ document: LISTED }))
    expect(node('b')?.selected).toBeUndefined()
  })

  test('an edge is selected here alone', () => {
    const { sync, result } = show(LISTED)
    act(() => result.current.onEdgesChange([{ id: 'ab', type: 'select', selected: true }]))
    expect(result.current.edges[0]).toMatchObject({ id: 'ab', selected: true })
    expect(sync.edits).toEqual([])
  })
})

describe('moving', () => {
  test('a drag follows the pointer, and is saved in whole pixels as one step', async () => {
    const { sync, change, node, now } = show(LISTED)
    change(drag('a', 10.4))
    expect(node('a')).toMatchObject({ position: at(10.4), dragging: true })
    await Promise.resolve()
    change(drag('a', 20.6), drag('b', 30))
    await Promise.resolve()
    change(drag('a', 22.2, false), drag('b', 30, false))
    await Promise.resolve()
    expect(now()['nodes']).toMatchObject([{ position: at(22), selected: true }, { position: at(30) }])
    expect(node('a')).toMatchObject({ position: at(22), dragging: false })
    change(drag('a', 50))
    const [next, ...steps] = sync.edits.map(({ options }) => options.step).reverse()
    expect(steps).toEqual(Array(3).fill(steps[0]))
    expect(next).not.toBe(steps[0])
  })

  test('a drag that ends where it was last is over, and sizes that are measured meanwhile do not end it', async () => {
    const { sync, change } = show(LISTED)
    change(drag('a', 10))
    change({ id: 'a', type: 'dimensions', dimensions: { width: 7, height: 8 } })
    await Promise.resolve()
    change(drag('a', 20))
    change(drag('a', 20, false))
    await Promise.resolve()
    change(drag('a', 25, false))
    await Promise.resolve()
    change(drag('a', 30, false))
    const [first, second, third, fourth] = sync.edits.map(({ options }) => options.step)
    expect(second).toBe(first)
    expect(new Set([first, third, fourth]).size).toBe(3)
  })

  test('nothing but the position changes, and nothing at all where it stays', () => {
    const { sync, change, now } = show(SIM)
    change(drag('last', 3.2, false))
    expect(sync.edits).toEqual([])
    change(drag('last', 4, false))
    expect(now()).toEqual({ ...SIM, blocks: { ...(SIM['blocks'] as Document), last: block(4) } })
  })

  test('what others do with a node that is dragged does not make it jump', () => {
    const { sync, change, node, now } = show(SIM)
    change(drag('last', 100))
    const theirs = { ...SIM, blocks: { ...(SIM['blocks'] as Document), last: block(-500, { name: 'Theirs' }) } }
    act(() => sync.become({ document: theirs }))
    expect(node('last')).toMatchObject({ position: at(100), data: { name: 'Theirs' } })
    change(drag('last', 110, false))
    expect((now()['blocks'] as Document)['last']).toEqual(block(110, { name: 'Theirs' }))
  })

  test('a node that is removed by somebody else while it is dragged stays away', () => {
    const { sync, change, node, now } = show(SIM)
    change(drag('last', 100))
    const { last: _, ...blocks } = SIM['blocks'] as Document
    act(() => sync.become({ document: { ...SIM, blocks } }))
    change(drag('last', 110))
    change(drag('last', 110, false))
    expect(node('last')).toBeUndefined()
    expect(now()['blocks']).toEqual(blocks)
  })

  test.each([
    ['block', SIM, 'loop', { data: { width: 600, height: 301 } }],
    ['node of a list', LISTED, 'b', { width: 600, height: 301 }],
  ])('a size that was chosen for a %s is saved', (_, document, id, expected) => {
    const { change, now } = show(document)
    change({ id, type: 'dimensions', dimensions: { width: 600.2, height: 300.7 }, resizing: true, setAttributes: true })
    change({ id, type: 'dimensions', dimensions: { width: 600.2, height: 300.7 }, resizing: false })
    const { blocks, nodes } = now()
    expect(blocks ? (blocks as Document)[id] : (nodes as Document[])[1]).toMatchObject(expected)
  })
})

describe('removing', () => {
  test('a node goes with its edges, and from its loops and parallels, in one edit', () => {
    const { sync, change, now } = show(SIM)
    change(remove('inner'))
    expect(sync.edits).toHaveLength(1)
    expect(now()).toEqual({
      ...SIM,
      blocks: { loop: (SIM['blocks'] as Document)['loop'], last: block(3) },
      edges: [edge('e1', 'loop', 'last')],
      loops: { loop: { id: 'loop', nodes: [] } },
      parallels: { p: { nodes: ['last'] } },
    })
  })

  test('a loop takes its entry along', () => {
    const { change, now } = show(SIM)
    change(remove('loop'), remove('inner'))
    expect(now()).toEqual({ blocks: { last: block(3) }, edges: [], loops: {}, parallels: { p: { nodes: ['last'] } } })
  })

  test('what React Flow removes at once, edges first, is one step, and the next is another', async () => {
    const { sync, result } = show(SIM)
    const { onNodesChange, onEdgesChange } = result.current
    act(() => {
      onEdgesChange([remove('e1')])
      onNodesChange([remove('last')])
    })
    await Promise.resolve()
    act(() => onNodesChange([remove('inner')]))
    const [first, second, third] = sync.edits.map(({ options }) => options.step)
    expect(first).toBe(second)
    expect(third).not.toBe(first)
  })

  test('only taking away the last block is said to be meant', () => {
    const { sync, change } = show(LISTED)
    change(remove('a'))
    change(remove('b'))
    expect(sync.edits.map(({ options }) => options.allowEmpty)).toEqual([false, true])
  })

  test('edges without ids can be removed', () => {
    const loose = { source: 'a', target: 'b' }
    const { result, now } = show({ ...LISTED, edges: [loose, { source: 'b', target: 'a' }] })
    const [first] = result.current.edges
    act(() => result.current.onEdgesChange([remove(first?.id ?? '')]))
    expect(now()['edges']).toEqual([{ source: 'b', target: 'a' }])
  })

  test('what is not there any more is not removed again', () => {
    const { sync, change, result } = show(SIM)
    change(remove('gone'))
    act(() => result.current.onEdgesChange([remove('gone')]))
    expect(sync.edits).toEqual([])
  })
})

describe('adding', () => {
  const connection = { source: 'a', target: 'b', sourceHandle: 'out', targetHandle: null }

  test('a connection is a new edge with an id of its own, and is not made twice', () => {
    const { sync, result, now } = show(LISTED)
    act(() => result.current.onConnect(connection))
    act(() => result.current.onConnect(connection))
    expect(sync.edits).toHaveLength(1)
    expect(now()['edges']).toEqual([
      edge('ab', 'a', 'b'),
      { id: expect.stringMatching(/^\d+-\d+-\d+-\d+$/), source: 'a', target: 'b', sourceHandle: 'out' },
    ])
    act(() => result.current.onConnect({ ...connection, sourceHandle: 'else' }))
    const [, one, other] = now()['edges'] as Document[]
    expect(one?.['id']).not.toBe(other?.['id'])
  })

  test('a list of edges is begun where there is none', () => {
    const { result, now } = show({ data: { nodes: LISTED['nodes'] ?? [] } })
    act(() => result.current.onConnect(connection))
    expect((now()['data'] as Document)['edges']).toMatchObject([{ source: 'a', target: 'b' }])
  })

  test("a node that was added is saved without what is this page's alone", () => {
    const { change, now, node } = show(LISTED)
    const data = { label: 'C' }
    change({ type: 'add', item: { id: 'c', position: at(5), data, selected: true, measured: { width: 1 } } })
    expect((now()['nodes'] as Document[])[2]).toEqual({ id: 'c', position: at(5), data: { label: 'C' } })
    expect(node('c')).toMatchObject({ selected: true })
  })

  test('a block that was added is what its data is, where it was put', () => {
    const { change, now } = show(SIM)
    const item = { id: 'new', type: 'agent', position: at(5), parentId: 'loop', data: { name: 'New' } }
    change({ type: 'add', item })
    expect((now()['blocks'] as Document)['new']).toEqual({
      id: 'new',
      type: 'agent',
      name: 'New',
      position: at(5),
      data: { parentId: 'loop' },
    })
  })

  test('data that was updated is saved, and nothing that only was drawn', () => {
    const old = { id: 'a', position: at(0), data: { label: 'A' }, width: 80, positionAbsolute: at(0) }
    const { change, now, node } = show({ nodes: [old] })
    change({ id: 'a', type: 'replace', item: { ...(node('a') as Node), data: { label: 'B' } } })
    expect(now()['nodes']).toEqual([{ ...old, data: { label: 'B' } }])
  })

  test('an application says itself what to save of its nodes', () => {
    const fromNode = ({ id, data }: Node, element: Document = {}) => ({ ...element, id, name: String(data['title']) })
    const { change, now, node } = show(SIM, {}, { fromNode })
    change({ id: 'last', type: 'replace', item: { ...(node('last') as Node), data: { title: 'Last' } } })
    expect((now()['blocks'] as Document)['last']).toEqual({ ...block(3), id: 'last', name: 'Last' })
  })

  test('an edge that was led elsewhere keeps what else it has', () => {
    const { result, now } = show({ ...LISTED, edges: [{ ...edge('ab', 'a', 'b'), label: 'then' }] })
    const [drawn] = result.current.edges
    if (!drawn) throw new Error('There is no edge.')
    const item = { ...drawn, source: 'b', target: 'a' }
    act(() => result.current.onEdgesChange([{ id: 'ab', type: 'replace', item }]))
    expect(now()['edges']).toEqual([{ ...edge('ab', 'b', 'a'), label: 'then' }])
  })
})

describe('where nothing can be edited', () => {
  test.each<Partial<Snapshot>>([{ role: 'VIEWER', status: 'read-only' }, { status: 'loading' }])('%j', (news) => {
    const { sync, result, change, node } = show(LISTED, news)
    change(drag('a', 99))
    expect(node('a')?.position).toEqual(at(1.4))
    change(drag('a', 99, false), remove('b'))
    change({ type: 'add', item: { id: 'c', position: at(0), data: {} } })
    change({ id: 'a', type: 'dimensions', dimensions: { width: 1, height: 2 }, setAttributes: true })
    act(() => result.current.onConnect({ source: 'b', target: 'a', sourceHandle: null, targetHandle: null }))
    act(() => result.current.onEdgesChange([remove('ab')]))
    expect(sync.edits).toEqual([])
    expect(node('a')?.position).toEqual(at(1.4))
    expect(result.current.isReadOnly).toBe(true)
    change({ id: 'a', type: 'select', selected: true })
    expect(node('a')?.selected).toBe(true)
  })

  test('an edit that is not taken throws nothing', () => {
    const { sync, change, now } = show(LISTED)
    vi.spyOn(sync, 'update').mockImplementation(() => {
      throw new Error('It is over.')
    })
    change(drag('a', 99, false))
    expect(now()).toBe(LISTED)
  })
})

describe('on the real engine', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('navigator', { locks: new FakeBrowser().open() })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('a drag is saved after it, drawn for others, and taken back in one', async () => {
    const server = new FakeServer()
    server.write(() => LISTED)
    new FakeNetwork(server)
    const feed = new FakeFeed(server)
    const open = () =>
      createWorkflowSync({
        endpoint: '/graphql',
        workflowId: 'w',
        getAuth: () => ({}),
        storage: new FakeStorage(),
        feed: feed.factory,
      })
    const [sync, other] = [open(), open()]
    const mine = renderHook(() => useWorkflowFlow(sync))
    const theirs = renderHook(() => useWorkflowFlow(other))
    await act(() => vi.advanceTimersByTimeAsync(0))
    for (const [x, goesOn] of [
      [10, true],
      [20, true],
      [30, false],
    ] as const) {
      await act(async () => mine.result.current.onNodesChange([drag('a', x, goesOn)]))
    }
    await act(() => vi.advanceTimersByTimeAsync(2_000))
    expect(theirs.result.current.nodes[0]?.position).toEqual(at(30))
    expect(server.entries).toHaveLength(2)
    act(() => sync.undo())
    expect(mine.result.current.nodes[0]?.position).toEqual(at(1.4))
    await act(() => Promise.all([sync.close(), other.close()]))
    expect(server.state).toEqual(LISTED)
  })
})
