import { describe, expect, test } from 'vitest'
import { graphOf, parentOf, withEdges, withElements } from '../src/graph.js'
import type { Document } from '../src/types.js'

const SIM: Document = {
  blocks: { a: { name: 'A' }, b: { name: 'B' } },
  edges: [{ id: 'e', source: 'a', target: 'b' }],
  loops: { l: { id: 'l', nodes: ['a', 'b'] } },
}
const LANGFLOW: Document = { name: 'x', data: { nodes: [{ id: 'a' }], edges: [{ source: 'a', target: 'a' }] } }

describe('the graph of a document', () => {
  test('is found where it is', () => {
    expect(graphOf(SIM)).toMatchObject({ owner: null, kind: 'blocks' })
    expect(graphOf(LANGFLOW)).toMatchObject({ owner: 'data', kind: 'nodes' })
    expect([...(graphOf(SIM)?.elements.keys() ?? [])]).toEqual(['a', 'b'])
  })

  test('is the same object for the same document', () => {
    expect(graphOf(SIM)).toBe(graphOf(SIM))
  })

  test.each([{}, { blocks: 1 }, { nodes: ['a'] }, { blocks: [{ id: 'a' }] }, { data: { data: { nodes: [] } } }])(
    'is missing in %j',
    (document) => expect(graphOf(document)).toBeNull(),
  )
})

describe('editing it', () => {
  test('keeps all else', () => {
    const after = withElements(LANGFLOW, new Map([['b', { id: 'b' }]]))
    expect(after).toEqual({
      name: 'x',
      data: { nodes: [{ id: 'a' }, { id: 'b' }], edges: [{ source: 'a', target: 'a' }] },
    })
  })

  test('takes the edges of what goes along, and leaves the loops', () => {
    const after = withElements(SIM, new Map([['b', null]]))
    expect(after).toEqual({ blocks: { a: { name: 'A' } }, edges: [], loops: { l: { id: 'l', nodes: ['a'] } } })
  })

  test('names an edge without an id by its ends', () => {
    const [id = ''] = graphOf(LANGFLOW)?.edges.keys() ?? []
    expect(withEdges(LANGFLOW, new Map([[id, null]]))).toEqual({ name: 'x', data: { nodes: [{ id: 'a' }], edges: [] } })
  })

  test('that changes nothing gives the same document', () => {
    expect(withElements(SIM, new Map([['none', null]]))).toBe(SIM)
    expect(withEdges(SIM, new Map([['none', null]]))).toBe(SIM)
  })
})

test.each([
  [{ parentId: 'p' }, 'p'],
  [{ parentNode: 'p' }, 'p'],
  [{ data: { parentId: 'p' } }, 'p'],
  [{ parentId: null, data: null }, undefined],
])('what is inside of what: %j', (element, parent) => expect(parentOf(element)).toBe(parent))
