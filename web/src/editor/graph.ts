/** What the editor does with the graph in a document; all else in it is kept as it is. */

import type { Document, Json, Path } from 'workflow-sync'
import { type Graph, graphOf, withEdges, withElements } from 'workflow-sync/graph'
import { getIn, textIn } from '../shared/json'

export type Block = Document

export interface Edge {
  readonly id: string
  readonly source: string
  readonly target: string
}

/** Handles that edges name, by block. */
export interface Ports {
  readonly sources: readonly string[]
  readonly targets: readonly string[]
}

export const EMPTY_WORKFLOW: Document = { blocks: {}, edges: [], loops: {}, parallels: {} }
const NO_PORTS: Ports = { sources: [], targets: [] }

const ports = new WeakMap<object, ReadonlyMap<string, Ports>>() // by the edges in the document

export function blockIn(document: Document, id: string): Block | undefined {
  return graphOf(document)?.elements.get(id)
}

/** The same object until the edges change. */
export function portsIn(document: Document, id: string): Ports {
  const graph = graphOf(document)
  const edges = graph && getIn(document, [...pathOf(graph), 'edges'])
  if (!graph || typeof edges !== 'object' || edges === null) return NO_PORTS
  const known = ports.get(edges) ?? portsOf(graph)
  ports.set(edges, known)
  return known.get(id) ?? NO_PORTS
}

function portsOf({ edges }: Graph): ReadonlyMap<string, Ports> {
  const found = new Map<string, { sources: Set<string>; targets: Set<string> }>()
  const at = (id: string) => {
    const named = found.get(id) ?? { sources: new Set<string>(), targets: new Set<string>() }
    found.set(id, named)
    return named
  }
  for (const edge of edges.values()) {
    const [source, target] = [textIn(edge, ['sourceHandle']), textIn(edge, ['targetHandle'])]
    if (source) at(textIn(edge, ['source'])).sources.add(source)
    if (target) at(textIn(edge, ['target'])).targets.add(target)
  }
  return new Map(
    [...found].map(([id, { sources, targets }]) => [id, { sources: [...sources].sort(), targets: [...targets] }]),
  )
}

/** Where the graph is in the document. */
export function pathOf({ owner }: Graph): Path {
  return owner === null ? [] : [owner]
}

export function withBlock(document: Document, id: string, block: Block): Document {
  return withElements(document, new Map([[id, block]]))
}

/** Change a block that may have gone meanwhile. */
export function editBlock(document: Document, id: string, edit: (block: Block) => Json): Document {
  const block = blockIn(document, id)
  return block ? withBlock(document, id, edit(block) as Block) : document
}

/** Connect two blocks, unless they are. */
export function withEdge(document: Document, edge: Edge): Document {
  const edges = [...(graphOf(document)?.edges.values() ?? [])]
  const isThere = edges.some(({ source, target }) => source === edge.source && target === edge.target)
  return isThere ? document : withEdges(document, new Map([[edge.id, { ...edge }]]))
}

export function withoutEdge(document: Document, id: string): Document {
  return withEdges(document, new Map([[id, null]]))
}
