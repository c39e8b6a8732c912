/** Elements of a graph as nodes and edges of React Flow, and back. Pure. */

import type { Edge, Node, NodeDimensionChange, XYPosition } from '@xyflow/react'
import { isObject, same } from './document.js'
import { anyGraphOf, joined, parentOf, type Graph } from './graph.js'
import { NO_MARKS, withMark, type Mark, type Marks } from './marks.js'
import type { Document, Json } from './types.js'

type Kind = Graph['kind']
/** The element that an element is inside of, by id. */
type Parents = ReadonlyMap<string, string>

/** How an application draws what is in its documents. */
export interface FlowMapping<N extends Node = Node, E extends Edge = Edge> {
  /**
   * Makes its own of the node that is drawn by default: of an item of `nodes` that item; of a block one of the block's
   * type, with the whole block as `data`. Asked again only where the block changed. Selection and size are put on top.
   */
  readonly toNode?: (node: Node, element: Document) => N
  readonly toEdge?: (edge: Edge, item: Document) => E
  /** What to save of a node that came by React Flow's `addNodes`, or whose `data` was changed by `updateNodeData`. */
  readonly fromNode?: (node: N, element: Document | undefined) => Document
}

/** A graph, drawn. */
export interface Picture<N extends Node = Node, E extends Edge = Edge> {
  readonly nodes: Drawing<N>
  readonly edges: Drawing<E>
}

export type Drawing<T> = ReadonlyMap<string, Drawn<T>>

/** A node or an edge, and what it was drawn of. */
interface Drawn<T> {
  readonly item: T
  readonly element: Document
  readonly parent: string | undefined
  readonly mark: Mark | undefined
}

const COLUMNS = 5 // what nobody has placed is laid out in rows
const COLUMN_WIDTH = 300 // in pixels, as is the next
const ROW_HEIGHT = 160
const LOCAL = new Set(['selected', 'dragging', 'resizing', 'measured']) // keys that are this page's alone

/** Draw a document, and keep what was drawn before of the same element with the same mark. Parents come first. */
export const draw = <N extends Node, E extends Edge>(
  document: Document,
  { toNode, toEdge }: FlowMapping<N, E>,
  before?: Picture<N, E>,
  marks = NO_MARKS,
  edgeMarks = NO_MARKS,
): Picture<N, E> => {
  const graph = anyGraphOf(document)
  const parents = parentsIn(graph)
  const depths = new Map([...graph.elements.keys()].map((id) => [id, depthOf(id, parents)]))
  const places = new Map([...graph.elements.keys()].map((id, place) => [id, place]))
  const elements = [...graph.elements].sort(([a], [b]) => (depths.get(a) ?? 0) - (depths.get(b) ?? 0))
  const makeNode = (id: string, element: Document) => {
    const node = nodeOf(graph.kind, id, element, places.get(id) ?? 0, parents.get(id))
    return toNode?.(node, element) ?? (node as N)
  }
  const makeEdge = (id: string, item: Document) => toEdge?.(edgeOf(id, item), item) ?? (edgeOf(id, item) as E)
  return {
    nodes: drawn(elements, makeNode, marks, before?.nodes, parents),
    edges: drawn([...joined(graph)], makeEdge, edgeMarks, before?.edges),
  }
}

const drawn = <T extends object>(
  elements: readonly (readonly [string, Document])[],
  make: (id: string, element: Document) => T,
  marks: Marks,
  before?: Drawing<T>,
  parents?: Parents,
): Drawing<T> =>
  new Map(
    elements.map(([id, element]) => {
      const [known, parent, mark] = [before?.get(id), parents?.get(id), marks.get(id)]
      const isKnown = known && known.parent === parent && known.mark === mark && same(known.element, element)
      if (isKnown) return [id, { ...known, element }]
      const item = make(id, element)
      return [id, { item: mark ? withMark(item, mark) : item, element, parent, mark }]
    }),
  )

/** A node as React Flow takes it; of a block, the whole block is its `data`. */
const nodeOf = (kind: Kind, id: string, element: Document, place: number, parentId?: string): Node => ({
  ...(kind === 'blocks' ? blockNode(element) : listedNode(element)),
  id,
  position: positionOf(element) ?? { x: (place % COLUMNS) * COLUMN_WIDTH, y: Math.floor(place / COLUMNS) * ROW_HEIGHT },
  ...(parentId !== undefined && { parentId }),
})

const blockNode = (block: Document): Omit<Node, 'id' | 'position'> => {
  const { width, height, extent } = innerOf(block)
  return {
    type: String(block['type'] ?? 'default'),
    data: block,
    ...(extent === 'parent' && { extent }),
    ...(typeof width === 'number' && typeof height === 'number' && { width, height }),
  }
}

/** React Flow 11 kept what it had measured in `width` and `height`; those of 12 were set. */
const listedNode = (node: Document): Omit<Node, 'id' | 'position'> => {
  const { parentId: _, parentNode: __, positionAbsolute, width, height, ...rest } = shared(node)
  const size = positionAbsolute ? { initialWidth: width, initialHeight: height } : { width, height }
  return { ...rest, ...shared(size), data: innerOf(node) }
}

const edgeOf = (id: string, edge: Document): Edge => ({
  ...shared(edge),
  id,
  source: String(edge['source']),
  target: String(edge['target']),
})

/** The element that a node stands for, where nothing counts but what is new since it was drawn. */
export const elementOf = (kind: Kind, node: Node, drawn?: Node, element: Document = {}): Document => {
  const news = newsOf(node, drawn)
  if (kind === 'nodes') return { ...element, ...news }
  const { data, parentId, extent, width, height, ...rest } = news
  const inner = shared({ parentId, extent, width, height })
  const block = { ...element, ...(isObject(data) && data), ...rest }
  return Object.keys(inner).length ? { ...block, data: { ...innerOf(block), ...inner } } : block
}

/** What of a node or edge is to be saved, and not what it was drawn of. */
export const newsOf = (item: Node | Edge, drawn: object = {}): Document => {
  const known = new Map<string, unknown>(Object.entries(drawn))
  return shared(Object.fromEntries(Object.entries(item).filter(([key, value]) => value !== known.get(key))))
}

/** Positions are whole pixels. */
export const moved = (element: Document, { x, y }: XYPosition): Document => {
  const position = { x: Math.round(x), y: Math.round(y) }
  return same(element['position'], position) ? element : { ...element, position }
}

/** A size that somebody chose; what was merely measured is nobody's business. */
export const resized = (kind: Kind, element: Document, change: NodeDimensionChange): Document => {
  const { dimensions, setAttributes } = change
  if (!dimensions || !setAttributes) return element
  const { width, height } = { width: Math.round(dimensions.width), height: Math.round(dimensions.height) }
  const size = { ...(setAttributes !== 'height' && { width }), ...(setAttributes !== 'width' && { height }) }
  return kind === 'nodes' ? { ...element, ...size } : { ...element, data: { ...innerOf(element), ...size } }
}

/** What is inside of what, as far as that is there and not inside of itself: React Flow would go round for ever. */
const parentsIn = ({ elements }: Graph): Parents => {
  const named = new Map<string, string>()
  for (const [id, element] of elements) {
    const parent = parentOf(element)
    if (parent !== undefined && elements.has(parent)) named.set(id, parent)
  }
  return new Map([...named].filter(([id]) => depthOf(id, named) <= named.size))
}

/** How many elements something is inside of; more than there are where they are in a circle. */
const depthOf = (id: string, parents: Parents): number => {
  let depth = 0
  for (let at = parents.get(id); at !== undefined && depth <= parents.size; at = parents.get(at)) depth++
  return depth
}

const innerOf = ({ data }: Document): Document => (isObject(data) ? data : {})

const positionOf = ({ position }: Document): XYPosition | undefined => {
  const { x, y } = isObject(position) ? position : {}
  return typeof x === 'number' && typeof y === 'number' ? { x, y } : undefined
}

/** What is JSON, and not this page's alone. */
const shared = (item: { readonly [key: string]: unknown }): Document =>
  Object.fromEntries(Object.entries(item).filter((entry): entry is [string, Json] => isShared(...entry)))

const isShared = (key: string, value: unknown): boolean =>
  !LOCAL.has(key) && value !== undefined && typeof value !== 'function'
