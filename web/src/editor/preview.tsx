/** A version as it was, to look at. */

import { Background, ReactFlow, ReactFlowProvider } from '@xyflow/react'
import { useMemo } from 'react'
import type { Document } from 'workflow-sync'
import { graphOf } from 'workflow-sync/graph'
import { NODE_TYPES, type Source, SourceProvider } from './block'
import type { Part } from './changes'
import { flowOf } from './mapping'

const FIT = { padding: 0.2, maxZoom: 1 }

export function Preview({ document, parts }: { document: Document; parts: readonly Part[] }) {
  const flow = useMemo(() => flowOf(document), [document])
  const source = useMemo((): Source => {
    const marks = new Map(parts.map(({ blockId, what }) => [blockId, what]))
    return { subscribe: () => () => {}, getDocument: () => document, room: null, marks }
  }, [document, parts])
  if (!graphOf(document)) return <pre className="json-preview">{JSON.stringify(document, null, 2)}</pre>
  return (
    <SourceProvider value={source}>
      <ReactFlowProvider>
        <ReactFlow
          {...flow}
          nodeTypes={NODE_TYPES}
          colorMode="system"
          fitView
          fitViewOptions={FIT}
          minZoom={0.05}
          aria-label="Version"
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
        >
          <Background />
        </ReactFlow>
      </ReactFlowProvider>
    </SourceProvider>
  )
}
