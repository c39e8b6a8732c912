/** Graphs in documents: elements (blocks or nodes), the edges between them, the loops and parallels around them. */

import { type Maybe, byId, isList, isObject, own } from '../document.js'
import type { Document, Json, Path } from '../types.js'

const ELEMENTS = ['blocks', 'nodes']
const GROUPS = ['loops', 'parallels']
export const EDGES = 'edges'

const among = (names: readonly string[], name: string | undefined): boolean =>
  name !== undefined && names.includes(name)

/** Says whether a path is that of the members of a loop or parallel. */
export const isMembership = (path: Path): boolean =>
  (path.length === 3 || path.length === 4) && path.at(-1) === 'nodes' && among(GROUPS, path.at(-3))

/** Says whether a path is that of a block or node of a graph. */
export const isElement = (path: Path): boolean =>
  (path.length === 2 || path.length === 3) && among(ELEMENTS, path.at(-2))

/** Says whether a path is that of all the blocks or nodes of a graph. */
export const isElements = (path: Path): boolean =>
  (path.length === 1 || path.length === 2) && among(ELEMENTS, path.at(-1)) && !isElement(path)

/** The ids of the elements that an edge joins, as far as it names them. */
export const endsOf = (edge: Json): string[] => {
  const ends = isObject(edge) ? [own(edge, 'source'), own(edge, 'target')] : []
  return ends.filter((end) => typeof end === 'string')
}

/** The key that holds a graph; null where the document itself does. */
export type Owner = string | null

export interface Graph {
  readonly elements: ReadonlySet<string>
  readonly edges: readonly Json[]
  /** The members of each loop and parallel, by their path in the graph as JSON. */
  readonly groups: ReadonlyMap<string, readonly Json[]>
}

export const EMPTY: Graph = { elements: new Set(), edges: [], groups: new Map() }

export const pathOf = (owner: Owner): Path => (owner === null ? [] : [owner])

/** What may hold a graph: the document, or an object in it. */
export const holderOf = (document: Document, owner: Owner): Maybe => (owner === null ? document : own(document, owner))

/** The graphs of a document. */
export const graphsOf = (document: Document): ReadonlyMap<Owner, Graph> => {
  const graphs = new Map<Owner, Graph>()
  for (const owner of [null, ...Object.keys(document)]) {
    const holder = holderOf(document, owner)
    const graph = isObject(holder) ? graphIn(holder) : undefined
    if (graph) graphs.set(owner, graph)
  }
  return graphs
}

const graphIn = (holder: Document): Graph | undefined => {
  const maps = ELEMENTS.flatMap((name) => elementsIn(holder, name) ?? [])
  if (maps.length === 0) return undefined
  const edges = own(holder, EDGES)
  return {
    elements: new Set(maps.flatMap((ids) => [...ids])),
    edges: isList(edges) ? edges : [],
    groups: new Map(GROUPS.flatMap((kind) => groupsIn(holder, kind))),
  }
}

/**
 * The ids of the blocks or nodes of a graph. Undefined where there are none of these, or members, but no objects among
 * them: the `nodes` of a selection are names, not nodes.
 */
export const elementsIn = (holder: Document, name: string): ReadonlySet<string> | undefined => {
  const members = own(holder, name)
  const isMap = name === 'blocks' ? isObject(members) : isList(members)
  if (!isMap) return undefined
  const entries = Object.entries(members ?? {})
  const ids = entries.flatMap(([key, member]) => (isObject(member) ? [isList(members) ? idOf(member, key) : key] : []))
  return ids.length > 0 || entries.length === 0 ? new Set(ids) : undefined
}

/** A node that has no id goes by its place. */
const idOf = (node: Document, place: string): string => {
  const { id = place } = node
  return typeof id === 'string' ? id : JSON.stringify(id)
}

const groupsIn = (holder: Document, kind: string): [string, readonly Json[]][] => {
  const groups = own(holder, kind)
  return Object.entries(isObject(groups) ? groups : {}).flatMap(([name, group]) => {
    const nodes = isObject(group) ? own(group, 'nodes') : undefined
    return isList(nodes) ? [[JSON.stringify([kind, name, 'nodes']), nodes]] : []
  })
}

/** Edges by their ids, or by their whole content where their list is not keyed. */
export const edgesById = (edges: readonly Json[]): [string, Json][] => {
  const items = byId(edges)
  return items ? [...items] : edges.map((edge) => [canonical(edge), edge])
}

/** JSON with sorted keys: equal for equal values. */
export const canonical = (value: Json): string => JSON.stringify(value, (_, member: Json) => sorted(member))

const sorted = (value: Json): Json =>
  isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
