/** How blocks and edges of a document are drawn by React Flow. */

import type { Edge, Node } from '@xyflow/react'
import type { Document } from 'workflow-sync'
import type { FlowMapping } from 'workflow-sync/react-flow'
import { isObject, textIn } from '../shared/json'
import { sizeOf, titleOf, typeName, typeOf } from './fields'
import { type Block, edgeId, graphOf, parentOf } from './graph'
import { lookOf } from './kinds'

const NO_DATA = {} // a block reads itself from the document
const GRID = { columns: 5, width: 300, height: 160 } as const // in pixels, for blocks that nobody has placed

/** All blocks are drawn by one component, whatever their editor draws them by. */
export const MAPPING: FlowMapping = {
  toNode: ({ id, position, parentId }, block) => drawn(id, block, position, parentId),
  toEdge: ({ id, source, target }, edge) => ({ id, source, target, ...handlesOf(edge) }),
}

function drawn(id: string, block: Block, position: Node['position'], parentId: string | undefined): Node {
  const size = lookOf(typeOf(block)).icon === 'loop' ? sizeOf(block) : null
  return {
    id,
    type: 'block',
    data: NO_DATA,
    position,
    ariaLabel: `${titleOf(block)}, ${typeName(block)}`,
    ...(parentId !== undefined && { parentId }),
    ...(size && { ...size, zIndex: -1 }),
  }
}

function handlesOf(edge: Document): Pick<Edge, 'sourceHandle' | 'targetHandle'> {
  return { sourceHandle: textIn(edge, ['sourceHandle']) || null, targetHandle: textIn(edge, ['targetHandle']) || null }
}

/** A whole document, to be looked at only. */
export function flowOf(document: Document): { nodes: Node[]; edges: Edge[] } {
  const graph = graphOf(document)
  const blocks = graph?.blocks ?? new Map<string, Block>()
  const nodes = [...blocks].map(([id, block], place) => drawn(id, block, placeOf(block, place), parentIn(blocks, id, block)))
  const edges = (graph?.edges ?? []).map((edge) => ({
    id: edgeId(edge), source: textIn(edge, ['source']), target: textIn(edge, ['target']), ...handlesOf(edge),
  }))
  const isJoined = ({ source, target }: Edge) => blocks.has(source) && blocks.has(target)
  return { nodes: parentsFirst(nodes), edges: edges.filter(isJoined) }
}

function parentIn(blocks: ReadonlyMap<string, Block>, id: string, block: Block): string | undefined {
  const parent = parentOf(block)
  return parent !== null && parent !== id && blocks.has(parent) ? parent : undefined
}

function placeOf(block: Block, place: number): Node['position'] {
  const { x, y } = isObject(block['position']) ? block['position'] : {}
  if (typeof x === 'number' && typeof y === 'number') return { x, y }
  return { x: (place % GRID.columns) * GRID.width, y: Math.floor(place / GRID.columns) * GRID.height }
}

/** As React Flow wants them. What is inside of something is one level down, or a few. */
function parentsFirst(nodes: readonly Node[]): Node[] {
  const placed = new Set<string>()
  const sorted: Node[] = []
  let waiting = nodes
  while (waiting.length > 0) {
    const ready = waiting.filter(({ parentId }) => parentId === undefined || placed.has(parentId))
    for (const { id } of ready) placed.add(id)
    sorted.push(...ready)
    if (ready.length === 0) return sorted // what is left is inside of itself
    waiting = waiting.filter(({ id }) => !placed.has(id))
  }
  return sorted
}
