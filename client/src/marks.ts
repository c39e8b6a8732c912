/** What of nodes and edges is this page's alone and never saved: selection, measured sizes, where a drag is. Pure. */

import type { EdgeChange, Node, NodeChange, XYPosition } from '@xyflow/react'

/** A node has a position here only while it is dragged: others may move it meanwhile, and it must not jump. */
export type Mark = Pick<Node, 'selected' | 'measured' | 'dragging' | 'resizing'> & {
  readonly position?: XYPosition | undefined
}
export type Marks = ReadonlyMap<string, Mark>

export const NO_MARKS: Marks = new Map()

/** The marks after what React Flow tells. */
export const marked = (marks: Marks, changes: readonly (NodeChange | EdgeChange)[]): Marks => {
  const after = new Map(marks)
  for (const change of changes) {
    const id = change.type === 'add' ? change.item.id : change.id
    const news = markOf(change)
    if (news) after.set(id, { ...after.get(id), ...news })
  }
  return after
}

const markOf = (change: NodeChange | EdgeChange): Mark | undefined => {
  if (change.type === 'select') return { selected: change.selected }
  if (change.type === 'add' || change.type === 'replace') return { selected: change.item.selected === true }
  if (change.type === 'position') return dragOf(change.dragging === true, change.position)
  if (change.type !== 'dimensions') return undefined
  const { dimensions, resizing } = change
  return { ...(dimensions && { measured: dimensions }), ...(resizing !== undefined && { resizing }) }
}

const dragOf = (dragging: boolean, position: XYPosition | undefined): Mark => {
  if (!dragging) return { dragging, position: undefined }
  return position ? { dragging, position } : { dragging }
}

/** The marks of what is still there. */
export const only = (marks: Marks, there: ReadonlyMap<string, unknown>): Marks => {
  const left = [...marks].filter(([id]) => there.has(id))
  return left.length === marks.size ? marks : new Map(left)
}

/** Says whether something is being dragged or resized. */
export const isGoingOn = (marks: Marks): boolean =>
  [...marks.values()].some(({ dragging, resizing }) => dragging || resizing)

/** What is to be drawn of it. */
export const withMark = <T extends object>(item: T, { position, ...mark }: Mark): T => ({
  ...item,
  ...mark,
  ...(position && { position }),
})
