/** Elements that one side removed and the other edited come back; with them, the edges that went at the same time. */

import { type Members, apply, byId, isList, isObject, own } from '../document.js'
import type { Document, Json, Path } from '../types.js'
import {
  EDGES,
  EMPTY,
  type Owner,
  elementsIn,
  endsOf,
  graphsOf,
  holderOf,
  isElement,
  isElements,
  pathOf,
} from './graphs.js'
import { mergeOrder } from './order.js'
import { type Past, goneAfter, lastAt } from './past.js'
import type { Collision } from './three-way.js'

interface Documents {
  readonly base: Document
  readonly yours: Document
  readonly theirs: Document
  readonly merged: Document
}

/** The edges of one graph, by id, as each side has them. */
type Edges = { readonly [Side in keyof Documents]: Members }

/**
 * Brings back the edges of what came back: those that the same save removed, as far as their ends exist. Where edges
 * have no ids of their own, their list is one value, and stays as it was merged.
 */
export const withEdges = (documents: Documents, collisions: readonly Collision[], past: Past): Document =>
  [...byOwner(collisions)].reduce((merged, [owner, found]) => {
    const edges = edgesOf({ ...documents, merged }, owner)
    if (!edges) return merged
    const path = [...pathOf(owner), EDGES]
    const yours = cameBack(
      merged,
      found.filter(({ yours }) => yours === undefined),
    )
    const theirs = cameBack(
      merged,
      found.filter(({ theirs }) => theirs === undefined),
    )
    const back = new Map([...goneWithYours(edges, yours), ...goneWithTheirs(edges, path, theirs, past)])
    return put(merged, path, edges, back, graphsOf(merged).get(owner)?.elements ?? EMPTY.elements)
  }, documents.merged)

/** Collisions over elements, and over whole maps of them, where one side has nothing, by the owner of their graph. */
const byOwner = (collisions: readonly Collision[]): ReadonlyMap<Owner, readonly Collision[]> => {
  const found = new Map<Owner, Collision[]>()
  for (const collision of collisions) {
    const { path, yours, theirs } = collision
    if ((yours !== undefined && theirs !== undefined) || !(isElement(path) || isElements(path))) continue
    const [owner = null] = path.slice(0, isElement(path) ? -2 : -1)
    found.set(owner, [...(found.get(owner) ?? []), collision])
  }
  return found
}

/** The ids of the elements that came back, each with the path that was removed: its own, or its map's. */
const cameBack = (document: Document, collisions: readonly Collision[]): ReadonlyMap<string, Path> => {
  const paths = collisions.map(({ path }) => path)
  return new Map([
    ...paths.filter(isElements).flatMap((path) => idsAt(document, path).map((id): [string, Path] => [id, path])),
    ...paths.filter(isElement).map((path): [string, Path] => [path.at(-1) ?? '', path]),
  ])
}

const idsAt = (document: Document, path: Path): string[] => {
  const holder = holderOf(document, path.length > 1 ? (path[0] ?? null) : null)
  return isObject(holder) ? [...(elementsIn(holder, path.at(-1) ?? '') ?? [])] : []
}

/** Undefined where some edges have no ids. */
const edgesOf = (documents: Documents, owner: Owner): Edges | undefined => {
  const [base, yours, theirs, merged] = [documents.base, documents.yours, documents.theirs, documents.merged].map(
    (document) => edgesIn(document, owner),
  )
  return base && yours && theirs && merged && { base, yours, theirs, merged }
}

const edgesIn = (document: Document, owner: Owner): Members | undefined => {
  const holder = holderOf(document, owner)
  const edges = isObject(holder) ? own(holder, EDGES) : undefined
  return edges === undefined ? new Map() : isList(edges) ? byId(edges) : undefined
}

/** The edges of elements that theirs still has. Those that the merge has not went with yours. */
const goneWithYours = ({ theirs }: Edges, back: ReadonlyMap<string, Path>): [string, Json][] =>
  [...theirs].filter(([, edge]) => endsOf(edge).some((end) => back.has(end)))

/** The edges that one save of theirs removed together with an element, and yours did not. */
const goneWithTheirs = (edges: Edges, path: Path, back: ReadonlyMap<string, Path>, past: Past): [string, Json][] =>
  [...byPlace(back, past)].flatMap(([place, together]) =>
    [...goneAfter(past, place, path)].filter(
      ([id, edge]) => (edges.yours.has(id) || !edges.base.has(id)) && endsOf(edge).some((end) => together.has(end)),
    ),
  )

/** Elements by the place in the past that was the last to have them. */
const byPlace = (back: ReadonlyMap<string, Path>, past: Past): ReadonlyMap<number, ReadonlySet<string>> => {
  const found = new Map<number, Set<string>>()
  for (const [id, path] of back) {
    const place = lastAt(past, path)?.place
    if (place !== undefined) found.set(place, new Set([...(found.get(place) ?? []), id]))
  }
  return found
}

/** Puts those of the edges whose ends exist into the merged document. */
const put = (merged: Document, path: Path, edges: Edges, back: Members, elements: ReadonlySet<string>): Document => {
  const isWhole = (edge: Json): boolean => endsOf(edge).every((end) => elements.has(end))
  const added = [...back].filter(([id, edge]) => !edges.merged.has(id) && isWhole(edge))
  if (added.length === 0) return merged
  const all = new Map([...edges.merged, ...added])
  const order = mergeOrder(edges.base, edges.yours, edges.theirs, all)
  return apply(merged, [{ path, value: order.map((id) => all.get(id) ?? null) }])
}
