/** What becomes of a document by what somebody does on the canvas of React Flow. Pure. */

import type { Connection, Edge, EdgeChange, Node, NodeChange } from '@xyflow/react'
import { elementOf, moved, newsOf, resized, type Drawing } from './drawing.js'
import { anyGraphOf, isParallel, withEdges, withElements, type Graph } from './graph.js'
import type { Document } from './types.js'

type FromNode<N extends Node> = (node: N, element: Document | undefined) => Document

/** Elements moved, resized, added, replaced and removed. */
export const withNodeChanges = <N extends Node>(
  document: Document,
  changes: readonly NodeChange<N>[],
  drawing: Drawing<N>,
  fromNode?: FromNode<N>,
): Document => {
  const graph = anyGraphOf(document)
  const edits = new Map<string, Document | null>()
  const make: FromNode<N> = (node, element) =>
    fromNode?.(node, element) ?? elementOf(graph.kind, node, drawing.get(node.id)?.item, element)
  for (const change of changes) {
    const id = change.type === 'add' ? change.item.id : change.id
    const element = edits.get(id) ?? graph.elements.get(id)
    if (change.type === 'remove') edits.set(id, null)
    else if (change.type === 'add') edits.set(id, make(change.item, undefined))
    else if (element) edits.set(id, changed(graph, element, change, make))
  }
  return withElements(document, edits)
}

const changed = <N extends Node>(
  graph: Graph,
  element: Document,
  change: NodeChange<N>,
  make: FromNode<N>,
): Document => {
  if (change.type === 'replace') return make(change.item, element)
  if (change.type === 'position' && change.position) return moved(element, change.position)
  return change.type === 'dimensions' ? resized(graph.kind, element, change) : element
}

/** Edges added, replaced and removed. */
export const withEdgeChanges = <E extends Edge>(
  document: Document,
  changes: readonly EdgeChange<E>[],
  drawing: Drawing<E>,
): Document => {
  const { edges } = anyGraphOf(document)
  const edits = new Map<string, Document | null>()
  for (const change of changes) {
    if (change.type === 'remove') edits.set(change.id, null)
    if (change.type !== 'add' && change.type !== 'replace') continue
    const { item } = change
    edits.set(item.id, { ...edges.get(item.id), ...newsOf(item, drawing.get(item.id)?.item) })
  }
  return withEdges(document, edits)
}

/** A new edge, unless there is one that leads the same way. */
export const withConnection = (document: Document, connection: Connection, id: string): Document => {
  const edge = { id, ...Object.fromEntries(Object.entries(connection).filter(([, end]) => end !== null)) }
  const isThere = [...anyGraphOf(document).edges.values()].some((other) => isParallel(edge, other))
  return isThere ? document : withEdges(document, new Map([[id, edge]]))
}
