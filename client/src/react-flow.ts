/** A workflow on the canvas of React Flow 12. */

import type { Connection, Edge, EdgeChange, Node, NodeChange } from '@xyflow/react'
import { useMemo, useSyncExternalStore } from 'react'
import { attempt } from './attempt.js'
import { draw, type Drawing, type FlowMapping, type Picture } from './drawing.js'
import { withConnection, withEdgeChanges, withNodeChanges } from './gestures.js'
import { anyGraphOf } from './graph.js'
import { newId } from './ids.js'
import { isGoingOn, marked, NO_MARKS, only } from './marks.js'
import type { Document, Snapshot, WorkflowSync } from './types.js'

export type { FlowMapping } from './drawing.js'

/** What `<ReactFlow>` takes. */
export interface WorkflowFlow<N extends Node = Node, E extends Edge = Edge> {
  readonly nodes: N[]
  readonly edges: E[]
  readonly onNodesChange: (changes: NodeChange<N>[]) => void
  readonly onEdgesChange: (changes: EdgeChange<E>[]) => void
  readonly onConnect: (connection: Connection) => void
  /** Nothing can be done but select: for a viewer, and before the document is here. */
  readonly isReadOnly: boolean
}

/**
 * The graph of the workflow that `sync` shows: `blocks` and `edges` (Sim) or `nodes` and `edges` (React Flow, Flowise),
 * at the top of the document or one level down (Langflow's `data`). A node is the same object until its block changes.
 * Selection and measured sizes stay in this page. A drag, or a deletion, is one step of undo. `mapping` is read once.
 */
export function useWorkflowFlow<N extends Node = Node, E extends Edge = Edge, D extends Document = Document>(
  sync: WorkflowSync<D>,
  mapping?: FlowMapping<N, E>,
): WorkflowFlow<N, E> {
  const { subscribe, getSnapshot } = useMemo(() => createFlow(sync as unknown as WorkflowSync, mapping), [sync])
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot)
}

/** The nodes and edges of a document that is only looked at, such as an old version. */
export const flowOf = <N extends Node = Node, E extends Edge = Edge>(
  document: Document,
  mapping: FlowMapping<N, E> = {},
): Pick<WorkflowFlow<N, E>, 'nodes' | 'edges'> => {
  const { nodes, edges } = draw(document, mapping)
  return { nodes: itemsOf(nodes), edges: itemsOf(edges) }
}

function createFlow<N extends Node, E extends Edge>(sync: WorkflowSync, mapping: FlowMapping<N, E> = {}) {
  const listeners = new Set<() => void>()
  let nodeMarks = NO_MARKS
  let edgeMarks = NO_MARKS
  let picture: Picture<N, E> = { nodes: new Map(), edges: new Map() }
  let gesture: string | undefined
  let drawnOf: readonly unknown[] = []

  const tell = () => listeners.forEach((listener) => listener())

  const edit = (next: (document: Document) => Document) => {
    const step = stepOf()
    const before = sync.getSnapshot().document
    const document = next(before)
    if (document === before) return
    const allowEmpty = anyGraphOf(document).elements.size === 0 // who takes away the last block means it
    attempt(() => sync.update(document, { step, allowEmpty })) // why not is in the snapshot
  }

  /** One step is what happens until a drag ends, or else at once: React Flow deletes edges first, then their nodes. */
  const stepOf = (): string => {
    const step = (gesture ??= newId())
    if (!isGoingOn(nodeMarks)) queueMicrotask(() => (gesture = undefined))
    return step
  }

  const handlers = {
    onNodesChange: (changes: NodeChange<N>[]) => {
      const meant = isReadOnly(sync.getSnapshot()) ? changes.filter(({ type }) => type !== 'position') : changes
      nodeMarks = marked(nodeMarks, meant)
      edit((document) => withNodeChanges(document, meant, picture.nodes, mapping.fromNode))
      tell()
    },
    onEdgesChange: (changes: EdgeChange<E>[]) => {
      edgeMarks = marked(edgeMarks, changes)
      edit((document) => withEdgeChanges(document, changes, picture.edges))
      tell()
    },
    onConnect: (connection: Connection) => edit((document) => withConnection(document, connection, newId())),
  }

  let flow: WorkflowFlow<N, E> = { ...handlers, nodes: [], edges: [], isReadOnly: true }

  const redraw = (snapshot: Snapshot) => {
    const { elements, edges } = anyGraphOf(snapshot.document)
    nodeMarks = only(nodeMarks, elements)
    edgeMarks = only(edgeMarks, edges)
    picture = draw(snapshot.document, mapping, picture, nodeMarks, edgeMarks)
    flow = {
      ...handlers,
      nodes: unlessSame(flow.nodes, itemsOf(picture.nodes)),
      edges: unlessSame(flow.edges, itemsOf(picture.edges)),
      isReadOnly: isReadOnly(snapshot),
    }
  }

  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      const end = sync.subscribe(listener)
      return () => {
        listeners.delete(listener)
        end()
      }
    },
    getSnapshot: () => {
      const snapshot = sync.getSnapshot()
      const facts = () => [snapshot.document, isReadOnly(snapshot), nodeMarks, edgeMarks]
      if (unlessSame(drawnOf, facts()) !== drawnOf) redraw(snapshot)
      drawnOf = facts()
      return flow
    },
  }
}

const isReadOnly = ({ role, status }: Snapshot): boolean => role === 'VIEWER' || status === 'loading'

const itemsOf = <T>(drawing: Drawing<T>): T[] => [...drawing.values()].map(({ item }) => item)

/** The list before where it has the same items. */
const unlessSame = <List extends readonly unknown[]>(before: List, after: List): List =>
  before.length === after.length && after.every((item, place) => item === before[place]) ? before : after
