/** What a person does with blocks: add and copy. Each is one step to undo. */

import type { XYPosition } from '@xyflow/react'
import { useMemo } from 'react'
import type { Document, WorkflowSync } from 'workflow-sync'
import { graphOf, parentOf } from 'workflow-sync/graph'
import { getIn, setIn } from '../shared/json'
import { titleOf } from './fields'
import { type Block, blockIn, withBlock } from './graph'
import { type Kind, newBlock } from './kinds'

const COPY = 40 // pixels from a block to its copy
const STEP = 20 // pixels
const SPACE = { x: 250, y: 110 } // that a block takes

export interface Actions {
  /** Returns the new block's id. */
  readonly add: (kind: Kind, at: XYPosition) => string
  readonly duplicate: (ids: readonly string[]) => readonly string[]
}

export function useActions(sync: WorkflowSync): Actions {
  return useMemo(() => actionsOn(sync), [sync])
}

function actionsOn(sync: WorkflowSync): Actions {
  return {
    add: (kind, at) => {
      const id = crypto.randomUUID()
      sync.update((document) => {
        const graph = graphOf(document)
        return graph ? withBlock(document, id, newBlock(graph, id, kind, freePlace(graph.elements, at))) : document
      })
      return id
    },
    duplicate: (ids) => {
      const copies = ids.map((id) => [id, crypto.randomUUID()] as const)
      sync.update((document) => copies.reduce((result, [id, copy]) => withCopy(result, id, copy), document))
      return copies.map(([, copy]) => copy)
    },
  }
}

/** Beside or below what is there already. */
function freePlace(blocks: ReadonlyMap<string, Block>, at: XYPosition): XYPosition {
  const isTaken = ({ x, y }: XYPosition) =>
    [...blocks.values()].some((block) => {
      const [left, top] = ['x', 'y'].map((axis) => getIn(block, ['position', axis]))
      const isPlaced = typeof left === 'number' && typeof top === 'number' && parentOf(block) === undefined
      return isPlaced && Math.abs(left - x) < SPACE.x && Math.abs(top - y) < SPACE.y
    })
  let { x, y } = { x: Math.round(at.x), y: Math.round(at.y) }
  while (isTaken({ x, y })) y += STEP
  return { x, y }
}

function withCopy(document: Document, id: string, copy: string): Document {
  const block = blockIn(document, id)
  if (!block) return document
  const { x, y } = (block['position'] ?? {}) as { x?: number; y?: number }
  const moved = setIn(setIn(block, ['id'], copy), ['position'], { x: (x ?? 0) + COPY, y: (y ?? 0) + COPY })
  return withBlock(document, copy, renamed(moved as Block, `${titleOf(block)} (copy)`))
}

function renamed(block: Block, name: string): Block {
  return 'name' in block ? { ...block, name } : block
}
