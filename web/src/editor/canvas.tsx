/** The graph itself: blocks that are dragged and joined. */

import '@xyflow/react/dist/style.css'
import './canvas.css'

import { Background, Controls, MiniMap, ReactFlow, SelectionMode } from '@xyflow/react'
import { type KeyboardEvent, type MouseEvent, useMemo } from 'react'
import type { WorkflowFlow } from 'workflow-sync/react-flow'
import { NODE_TYPES, type Source, SourceProvider } from './block'
import { useEditor } from './use-opened'

const EDGE = { interactionWidth: 24 } // pixels that a pointer may be off
const OVERVIEW = { width: 160, height: 110 } // pixels
const FIT = { padding: 0.2, maxZoom: 1 }

interface CanvasProps {
  readonly flow: WorkflowFlow
  readonly onAddAt: (event: MouseEvent) => void
  /** Somebody wants to write into the block that the focus is on. */
  readonly onEnter: (id: string) => void
}

export function Canvas({ flow: { isReadOnly, ...flow }, onAddAt, onEnter }: CanvasProps) {
  const { sync, room } = useEditor()
  const source = useMemo(
    (): Source => ({ subscribe: sync.subscribe, getDocument: () => sync.getSnapshot().document, room }),
    [sync, room],
  )
  const onDoubleClick = (event: MouseEvent) => {
    const isPane = event.target instanceof Element && event.target.matches('.react-flow__pane')
    if (isPane && !isReadOnly) onAddAt(event)
  }
  const onKeyDown = ({ key, target }: KeyboardEvent) => {
    const id = target instanceof HTMLElement && target.matches('.react-flow__node') ? target.dataset['id'] : undefined
    if (key === 'Enter' && id !== undefined) onEnter(id)
  }
  return (
    <SourceProvider value={source}>
      <ReactFlow
        {...flow}
        nodeTypes={NODE_TYPES}
        defaultEdgeOptions={EDGE}
        onDoubleClick={onDoubleClick}
        onKeyDown={onKeyDown}
        colorMode="system"
        fitView
        fitViewOptions={FIT}
        minZoom={0.05}
        maxZoom={2}
        zoomOnDoubleClick={false}
        selectionMode={SelectionMode.Partial}
        multiSelectionKeyCode={['Meta', 'Control', 'Shift']}
        deleteKeyCode={isReadOnly ? null : ['Delete', 'Backspace']}
        nodesDraggable={!isReadOnly}
        nodesConnectable={!isReadOnly}
        selectNodesOnDrag={false}
        edgesReconnectable={false}
        aria-label="Workflow"
      >
        <Background gap={22} size={1.4} />
        <Controls showInteractive={false} />
        <MiniMap pannable zoomable ariaLabel="Overview" style={OVERVIEW} />
      </ReactFlow>
    </SourceProvider>
  )
}
