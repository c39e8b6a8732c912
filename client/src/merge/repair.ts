/** Graph repair: what was sound on both sides of a merge and is broken in the result is taken out, and told. */

import { apply, isObject, own } from '../document.js'
import type { Document, Json, Path } from '../types.js'
import { EDGES, EMPTY, type Graph, canonical, edgesById, endsOf, graphsOf, pathOf } from './graphs.js'

/** An edge whose end is gone; one that both sides added, under an id each; a member of a group that is gone. */
export type Reason = 'END_MISSING' | 'DUPLICATE' | 'MEMBER_MISSING'

/** One thing that was taken out. The path is the edge's; where that has no id, and for members, that of the list. */
export interface Repair {
  readonly path: Path
  readonly reason: Reason
  readonly removed: Json
}

/** A list that was mended: its path, what stays in it, what was taken out. */
interface Mended {
  readonly path: Path
  readonly value: readonly Json[]
  readonly repairs: readonly Repair[]
}

/** One graph as the merge and the sides have it. */
interface Versions {
  readonly merged: Graph
  readonly yours: Graph
  readonly theirs: Graph
}

/** Mends what a merge broke. What was broken in yours or theirs already is its editor's own business. */
export const repair = (
  merged: Document,
  yours: Document,
  theirs: Document,
): { readonly document: Document; readonly repairs: readonly Repair[] } => {
  const [ofYours, ofTheirs] = [graphsOf(yours), graphsOf(theirs)]
  const mended = [...graphsOf(merged)].flatMap(([owner, graph]) => {
    const versions = { merged: graph, yours: ofYours.get(owner) ?? EMPTY, theirs: ofTheirs.get(owner) ?? EMPTY }
    return [...mendedEdges(pathOf(owner), versions), ...mendedGroups(pathOf(owner), versions)]
  })
  return { document: apply(merged, mended), repairs: mended.flatMap(({ repairs }) => repairs) }
}

const mendedEdges = (owner: Path, versions: Versions): Mended[] => {
  const { merged, yours, theirs } = versions
  if (leftWhole(versions).some(({ edges }) => edges === merged.edges)) return []
  const path = [...owner, EDGES]
  const broken = new Map<string, Reason>([
    ...without(loose(merged), loose(yours), loose(theirs)).map((id): [string, Reason] => [id, 'END_MISSING']),
    ...addedTwice(versions).map((id): [string, Reason] => [id, 'DUPLICATE']),
  ])
  if (broken.size === 0) return []
  const edges = edgesById(merged.edges)
  const repairs = edges.flatMap(([id, removed]) => {
    const reason = broken.get(id)
    return reason ? [{ path: hasId(removed, id) ? [...path, id] : path, reason, removed }] : []
  })
  return [{ path, value: edges.filter(([id]) => !broken.has(id)).map(([, edge]) => edge), repairs }]
}

const hasId = (edge: Json, id: string): boolean => isObject(edge) && own(edge, 'id') === id

/** The sides that lost no element: the very edges and members that they have are as sound as before. */
const leftWhole = ({ merged, yours, theirs }: Versions): Graph[] =>
  [yours, theirs].filter(({ elements }) => [...elements].every((id) => merged.elements.has(id)))

const without = (found: readonly string[], ...others: readonly string[][]): string[] => {
  const known = new Set(others.flat())
  return found.filter((id) => !known.has(id))
}

/** The edges that end at nothing. */
const loose = ({ edges, elements }: Graph): string[] =>
  edgesById(edges).flatMap(([id, edge]) => (endsOf(edge).every((end) => elements.has(end)) ? [] : [id]))

/** The edges that only yours has, where only theirs has one that differs in nothing but the id. */
const addedTwice = ({ merged, yours, theirs }: Versions): string[] => {
  if (merged.edges === yours.edges || merged.edges === theirs.edges) return []
  const [inYours, inTheirs] = [yours, theirs].map(({ edges }) => new Set(edgesById(edges).map(([id]) => id)))
  if (!inYours || !inTheirs) return []
  const left = edgesById(merged.edges).filter(([, edge]) => endsOf(edge).length > 0)
  const known = left.filter(([id]) => inTheirs.has(id) && !inYours.has(id)).map(([, edge]) => contentOf(edge))
  return left.flatMap(([id, edge]) =>
    inYours.has(id) && !inTheirs.has(id) && known.includes(contentOf(edge)) ? [id] : [],
  )
}

const contentOf = (edge: Json): string => canonical({ ...(edge as Document), id: null })

const mendedGroups = (owner: Path, versions: Versions): Mended[] =>
  [...versions.merged.groups].flatMap(([key, members]) => {
    if (leftWhole(versions).some(({ groups }) => groups.get(key) === members)) return []
    const { merged, yours, theirs } = versions
    const gone = new Set<Json>(without(missing(merged, key), missing(yours, key), missing(theirs, key)))
    if (gone.size === 0) return []
    const path = [...owner, ...(JSON.parse(key) as string[])]
    const repairs = members
      .filter((member) => gone.has(member))
      .map((removed): Repair => ({ path, reason: 'MEMBER_MISSING', removed }))
    return [{ path, value: members.filter((member) => !gone.has(member)), repairs }]
  })

/** The members of a group that are no elements. */
const missing = ({ groups, elements }: Graph, key: string): string[] =>
  (groups.get(key) ?? []).filter((member) => typeof member === 'string').filter((member) => !elements.has(member))
