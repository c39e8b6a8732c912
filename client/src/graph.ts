/** The graph in a document as it is drawn and edited: blocks or nodes, the edges between them, and what they are in. */

import { isList, isObject, own, same, type Maybe } from './document.js'
import type { Document, Json } from './types.js'

export interface Graph {
  /** The key of the object that holds it, such as `data`; null where the document itself does. */
  readonly owner: string | null
  /** A map of blocks by id, or a list of nodes. */
  readonly kind: 'blocks' | 'nodes'
  readonly elements: ReadonlyMap<string, Document>
  readonly edges: ReadonlyMap<string, Document>
}

/** By id: what takes the place of an element or edge, or is new, or (null) that it goes. */
export type Edits = ReadonlyMap<string, Document | null>

const NOTHING: Graph = { owner: null, kind: 'nodes', elements: new Map(), edges: new Map() }
const GROUPS = ['loops', 'parallels']

const found = new WeakMap<Document, { readonly graph: Graph | null }>()

/** The first graph of a document, at its top or one level down; null where there is none. */
export const graphOf = (document: Document): Graph | null => {
  const known = found.get(document) ?? { graph: find(document) }
  found.set(document, known)
  return known.graph
}

/** An empty list of nodes where there is none. */
export const anyGraphOf = (document: Document): Graph => graphOf(document) ?? NOTHING

const find = (document: Document): Graph | null => {
  for (const owner of [null, ...Object.keys(document)]) {
    const kind = kindOf(holderOf(document, owner))
    if (kind) return { owner, kind, ...membersIn(holderOf(document, owner), kind) }
  }
  return null
}

/** The document with other elements. One that goes takes along its edges, and leaves its loops and parallels. */
export const withElements = (document: Document, edits: Edits): Document => {
  const { owner, kind } = anyGraphOf(document)
  const gone = new Set([...edits].flatMap(([id, element]) => (element ? [] : [id])))
  const edited = edit(holderOf(document, owner), kind, edits)
  return withHolder(document, owner, gone.size ? without(edited, gone) : edited)
}

export const withEdges = (document: Document, edits: Edits): Document => {
  const { owner } = anyGraphOf(document)
  return withHolder(document, owner, edit(holderOf(document, owner), 'edges', edits))
}

/** The edges whose ends are there. */
export const joined = ({ elements, edges }: Graph): Graph['edges'] =>
  new Map([...edges].filter(([, { source, target }]) => elements.has(String(source)) && elements.has(String(target))))

/** What an element is inside of, by id: in React Flow 12, in 11, and in Sim. */
export const parentOf = (element: Document): string | undefined => {
  const { data } = element
  const parent = element['parentId'] ?? element['parentNode'] ?? (isObject(data) ? data['parentId'] : undefined)
  return typeof parent === 'string' ? parent : undefined
}

/** Says whether an edge leads the same way: between the same handles of the same elements. */
export const isParallel = (a: Document, b: Document): boolean =>
  ['source', 'target', 'sourceHandle', 'targetHandle'].every((key) => same(a[key] ?? null, b[key] ?? null))

const holderOf = (document: Document, owner: string | null): Document => {
  const holder = owner === null ? document : own(document, owner)
  return isObject(holder) ? holder : {}
}

const withHolder = (document: Document, owner: string | null, holder: Document): Document => {
  if (holder === holderOf(document, owner)) return document
  return owner === null ? holder : { ...document, [owner]: holder }
}

/** What has members, but no objects among them, is something else: the `nodes` of a selection are names. */
const kindOf = (holder: Document): Graph['kind'] | undefined => {
  const blocks = own(holder, 'blocks')
  const nodes = own(holder, 'nodes')
  if (isObject(blocks) && holdsObjects(Object.values(blocks))) return 'blocks'
  return isList(nodes) && holdsObjects(nodes) ? 'nodes' : undefined
}

const holdsObjects = (members: readonly Json[]): boolean => !members.length || members.some(isObject)

const membersIn = (holder: Document, kind: Graph['kind']) => ({
  elements: objectsIn(own(holder, kind)),
  edges: objectsIn(own(holder, 'edges')),
})

const objectsIn = (members: Maybe): ReadonlyMap<string, Document> =>
  new Map(entriesOf(members).flatMap(([id, member]) => (isObject(member) ? [[id, member]] : [])))

const entriesOf = (members: Maybe): (readonly [string, Json])[] =>
  isList(members) ? members.map((member, place) => [idOf(member, place), member]) : Object.entries(members ?? {})

/** An edge without an id goes by its ends, a node by its place. */
const idOf = (member: Json, place: number): string => {
  if (!isObject(member)) return String(place)
  const { id, source, sourceHandle, target, targetHandle } = member
  const ends = source === undefined ? place : JSON.stringify([source, sourceHandle, target, targetHandle])
  return String(id ?? ends)
}

const edit = (holder: Document, key: string, edits: Edits): Document => {
  const members = own(holder, key) ?? (key === 'blocks' ? {} : [])
  const before = entriesOf(members)
  const known = new Set(before.map(([id]) => id))
  const after = [
    ...before.flatMap(([id, member]) => replaced(id, member, edits.get(id))),
    ...[...edits].flatMap(([id, member]) => (known.has(id) ? [] : replaced(id, member, member))),
  ]
  const isSame = after.length === before.length && after.every(([, member], place) => member === before[place]?.[1])
  if (isSame) return holder
  return { ...holder, [key]: isList(members) ? after.map(([, member]) => member) : Object.fromEntries(after) }
}

const replaced = (id: string, member: Json, edited: Document | null | undefined): (readonly [string, Json])[] =>
  edited === null ? [] : [[id, edited ?? member]]

const without = (holder: Document, gone: ReadonlySet<string>): Document => {
  const isGone = (id: Maybe) => typeof id === 'string' && gone.has(id)
  const edges = [...objectsIn(own(holder, 'edges'))]
  const loose = edges.filter(([, { source, target }]) => isGone(source) || isGone(target))
  const left = edit(holder, 'edges', new Map(loose.map(([id]) => [id, null])))
  return GROUPS.reduce((result, kind) => edit(result, kind, leaving(own(holder, kind), isGone)), left)
}

/** The loops and parallels that something leaves, or that go themselves. */
const leaving = (groups: Maybe, isGone: (id: Maybe) => boolean): Edits => {
  const edits = new Map<string, Document | null>()
  for (const [id, group] of objectsIn(groups)) {
    const { nodes } = group
    const left = isList(nodes) && nodes.some(isGone) ? nodes.filter((node) => !isGone(node)) : undefined
    if (isGone(id)) edits.set(id, null)
    else if (left) edits.set(id, { ...group, nodes: left })
  }
  return edits
}
