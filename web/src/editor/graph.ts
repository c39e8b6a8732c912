/**
 * The graph in a document, whichever editor made it: `blocks` by id (Sim) or a list of `nodes` (React Flow, Flowise),
 * beside their `edges`, in the document itself or one level down (Langflow). All else is kept as it is.
 */

import type { Document, Json, Path } from 'workflow-sync'
import { getIn, idOf, isList, isObject, type Maybe, setIn, textIn } from '../shared/json'

export type Block = Document

export interface Edge {
  readonly id: string
  readonly source: string
  readonly target: string
}

export interface Graph {
  /** Of what holds it. */
  readonly path: Path
  readonly kind: 'blocks' | 'nodes'
  readonly blocks: ReadonlyMap<string, Block>
  readonly edges: readonly Document[]
}

/** Handles that edges name, by block. */
export interface Ports {
  readonly sources: readonly string[]
  readonly targets: readonly string[]
}

export const EMPTY_WORKFLOW: Document = { blocks: {}, edges: [], loops: {}, parallels: {} }
const NO_EDGES: readonly Document[] = []
const NO_PORTS: Ports = { sources: [], targets: [] }

const graphs = new WeakMap<Document, { readonly graph: Graph | null }>()
const ports = new WeakMap<readonly Document[], ReadonlyMap<string, Ports>>()

/** Null where the document is of no known shape. */
export function graphOf(document: Document): Graph | null {
  const known = graphs.get(document) ?? { graph: find(document) }
  graphs.set(document, known)
  return known.graph
}

function find(document: Document): Graph | null {
  for (const path of [[], ...Object.keys(document).map((key) => [key])]) {
    const holder = getIn(document, path)
    const graph = isObject(holder) ? graphIn(holder, path) : null
    if (graph) return graph
  }
  return null
}

function graphIn(holder: Document, path: Path): Graph | null {
  const { blocks, nodes } = holder
  const edges = edgesOf(holder['edges'])
  if (isObject(blocks) && holdsObjects(Object.values(blocks))) {
    return { path, kind: 'blocks', blocks: blocksIn(Object.entries(blocks)), edges }
  }
  if (!isList(nodes) || !holdsObjects(nodes)) return null
  return { path, kind: 'nodes', blocks: blocksIn(nodes.map((node) => [idOf(node) ?? '', node])), edges }
}

/** What has members, but no objects among them, is something else. */
function holdsObjects(members: readonly Json[]): boolean {
  return members.length === 0 || members.some(isObject)
}

/** The same list for the same edges, so that what was found out about them is known. */
function edgesOf(edges: Maybe): readonly Document[] {
  if (!isList(edges)) return NO_EDGES
  return edges.every(isObject) ? edges : edges.filter(isObject)
}

function blocksIn(entries: readonly (readonly [string, Json])[]): ReadonlyMap<string, Block> {
  return new Map(entries.flatMap(([id, block]) => (id && isObject(block) ? [[id, block] as const] : [])))
}

export function blockIn(document: Document, id: string): Block | undefined {
  return graphOf(document)?.blocks.get(id)
}

export function portsIn(document: Document, id: string): Ports {
  const edges = graphOf(document)?.edges
  if (!edges) return NO_PORTS
  const known = ports.get(edges) ?? portsOf(edges)
  ports.set(edges, known)
  return known.get(id) ?? NO_PORTS
}

function portsOf(edges: readonly Document[]): ReadonlyMap<string, Ports> {
  const found = new Map<string, { sources: Set<string>; targets: Set<string> }>()
  const at = (id: string) => {
    const named = found.get(id) ?? { sources: new Set<string>(), targets: new Set<string>() }
    found.set(id, named)
    return named
  }
  for (const edge of edges) {
    const [source, target] = [textIn(edge, ['sourceHandle']), textIn(edge, ['targetHandle'])]
    if (source) at(textIn(edge, ['source'])).sources.add(source)
    if (target) at(textIn(edge, ['target'])).targets.add(target)
  }
  return new Map(
    [...found].map(([id, { sources, targets }]) => [id, { sources: [...sources].sort(), targets: [...targets] }]),
  )
}

/** Where a block is in the document. */
export function pathOf({ path, kind }: Graph, id: string): Path {
  return [...path, kind, id]
}

export function withBlock(document: Document, id: string, block: Block): Document {
  const graph = graphOf(document)
  return graph ? (setIn(document, pathOf(graph, id), block) as Document) : document
}

/** Change a block that may have gone meanwhile. */
export function editBlock(document: Document, id: string, edit: (block: Block) => Json): Document {
  const block = blockIn(document, id)
  return block ? withBlock(document, id, edit(block) as Block) : document
}

export function withEdge(document: Document, edge: Edge): Document {
  const graph = graphOf(document)
  if (!graph || graph.edges.some((other) => other['source'] === edge.source && other['target'] === edge.target))
    return document
  return setIn(document, [...graph.path, 'edges'], [...listAt(document, graph, 'edges'), { ...edge }]) as Document
}

/** `ids` by `edgeId`. */
export function withoutEdges(document: Document, ids: ReadonlySet<string>): Document {
  return keepEdges(document, (edge) => !isObject(edge) || !ids.has(edgeId(edge)))
}

/** An edge without an id goes by its ends. */
export function edgeId(edge: Document): string {
  const ends = ['source', 'sourceHandle', 'target', 'targetHandle'].map((key) => textIn(edge, [key]))
  return idOf(edge) ?? ends.join(' ')
}

function keepEdges(document: Document, isKept: (edge: Json) => boolean): Document {
  const graph = graphOf(document)
  const edges = graph ? listAt(document, graph, 'edges') : []
  const left = edges.filter(isKept)
  return !graph || left.length === edges.length
    ? document
    : (setIn(document, [...graph.path, 'edges'], left) as Document)
}

function listAt(document: Document, { path }: Graph, key: string): readonly Json[] {
  const list = getIn(document, [...path, key])
  return isList(list) ? list : []
}

/** The loop, parallel or group that a block is inside of. */
export function parentOf(block: Block): string | null {
  return textIn(block, ['parentId']) || textIn(block, ['parentNode']) || textIn(block, ['data', 'parentId']) || null
}
