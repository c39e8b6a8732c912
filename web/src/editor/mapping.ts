/** How blocks and edges of a document are drawn by React Flow. */

import type { Edge, Node } from '@xyflow/react'
import type { Document } from 'workflow-sync'
import { flowOf as drawFlow, type FlowMapping, type WorkflowFlow } from 'workflow-sync/react-flow'
import { textIn } from '../shared/json'
import { sizeOf, titleOf, typeName, typeOf } from './fields'
import type { Block } from './graph'
import { lookOf } from './kinds'

const NO_DATA = {} // a block reads itself from the document

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
export function flowOf(document: Document): Pick<WorkflowFlow, 'nodes' | 'edges'> {
  return drawFlow(document, MAPPING)
}
