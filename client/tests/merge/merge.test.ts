import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { same } from '../../src/document.js'
import { graphsOf } from '../../src/merge/graphs.js'
import { merge, threeWay } from '../../src/merge/index.js'
import type { Document } from '../../src/types.js'
import { anyDocument, frozen, threeDocuments, threeGraphs, twoDocuments } from './json.js'

const RUNS = { numRuns: 500 }
const triple = fc.oneof(threeDocuments, threeGraphs, fc.tuple(anyDocument, anyDocument, anyDocument))

describe('merge', () => {
  test('takes any documents, and changes none of them in place', () => {
    fc.assert(
      fc.property(triple, anyDocument, (sides, between) => {
        const [base, yours, theirs] = frozen(sides)
        merge(base, yours, theirs)
        merge(base, yours, theirs, [frozen(between)])
      }),
      RUNS,
    )
  })

  test('of anything with itself is itself, whatever it came of', () => {
    fc.assert(
      fc.property(triple, ([base, yours]) => {
        expect(merge(base, yours, yours)).toEqual({ document: yours, conflicts: [], repairs: [] })
        expect(threeWay(base, yours, yours)).toBe(yours)
      }),
      RUNS,
    )
  })

  test('with a side that changed nothing is the other side', () => {
    fc.assert(
      fc.property(triple, ([base, changed]) => {
        const copy = JSON.parse(JSON.stringify(base)) as Document
        for (const { document, conflicts, repairs } of [merge(base, copy, changed), merge(base, changed, copy)]) {
          expect(same(document, changed)).toBe(true)
          expect([...conflicts, ...repairs]).toEqual([])
        }
        expect(threeWay(base, base, changed)).toBe(changed)
        expect(threeWay(base, changed, base)).toBe(changed)
      }),
      RUNS,
    )
  })

  test('of edits at different places has both, whichever is the later', () => {
    fc.assert(
      fc.property(twoDocuments, twoDocuments, ([left, newLeft], [right, newRight]) => {
        const base = frozen({ left, right })
        const [yours, theirs] = [frozen({ left: newLeft, right }), frozen({ left, right: newRight })]
        const both = { document: { left: newLeft, right: newRight }, conflicts: [], repairs: [] }
        expect(merge(base, yours, theirs)).toEqual(both)
        expect(merge(base, theirs, yours)).toEqual(both)
      }),
      RUNS,
    )
  })

  test('shares what it has of either side', () => {
    const [untouched, yours, theirs] = frozen([{ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 3 } }])
    const base = frozen({ x: { untouched }, y: { a: 0 }, z: { a: 0 } })
    const merged = threeWay(base, { ...base, y: yours }, { ...base, z: theirs })
    expect(merged).toEqual({ ...base, y: yours, z: theirs })
    expect(merged['x']).toBe(base.x)
    expect(merged['y']).toBe(yours)
    expect(merged['z']).toBe(theirs)
  })

  test('breaks no graph', () => {
    fc.assert(
      fc.property(threeGraphs, ([base, yours, theirs]) => {
        fc.pre(isSound(yours) && isSound(theirs))
        expect(isSound(merge(base, yours, theirs).document)).toBe(true)
      }),
      RUNS,
    )
  })

  /** Every edge ends at elements, and elements are what groups are made of. */
  const isSound = (document: Document): boolean =>
    [...graphsOf(document).values()].every(({ elements, edges, groups }) => {
      const ends = edges.flatMap((edge) => Object.entries(edge ?? {}))
      const named = ends.flatMap(([name, end]) => (name === 'source' || name === 'target' ? [end] : []))
      return [...named, ...[...groups.values()].flat()].every((id) => typeof id !== 'string' || elements.has(id))
    })

  test('takes ids of nodes that are anything', () => {
    const nodes = [{ id: { toString: 1 } }, { id: null }, { id: 1 }] as unknown as Document[]
    const base = { nodes, edges: [] }
    const merged = merge(base, { ...base, edges: [{ id: 'e', source: '1', target: '1' }] }, { ...base, x: 1 })
    expect(merged).toMatchObject({ document: { x: 1, edges: [{ id: 'e' }] }, repairs: [] })
  })

  test('does not take inherited members for values', () => {
    const base = {} as Document
    const yours = JSON.parse('{"__proto__": {"a": 1}, "constructor": {"b": 1}}') as Document
    const theirs = JSON.parse('{"__proto__": {"c": 1}, "toString": {"nodes": []}}') as Document
    const { document, conflicts } = merge(base, yours, theirs)
    const both = '{"__proto__": {"a": 1, "c": 1}, "constructor": {"b": 1}, "toString": {"nodes": []}}'
    expect(same(document, JSON.parse(both) as Document)).toBe(true)
    expect(conflicts).toEqual([])
  })

  test('knows of documents in between what was removed together', () => {
    const edge = { id: 'e', source: 'a', target: 'b' }
    const base = frozen({ blocks: { a: { x: 1 }, b: { x: 1 } }, edges: [edge] })
    const unlinked = frozen({ ...base, edges: [] })
    const removed = frozen({ blocks: { a: { x: 1 } }, edges: [] })
    const yours = frozen({ ...base, blocks: { ...base.blocks, b: { x: 2 } } })
    expect(threeWay(base, yours, removed)).toEqual(yours)
    expect(merge(base, yours, removed, [unlinked]).document).toEqual({ ...yours, edges: [] })
  })
})
