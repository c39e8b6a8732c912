/** Which blocks are selected. */

import { useEffect, useRef, useState } from 'react'
import type { WorkflowFlow } from 'workflow-sync/react-flow'

interface Selection {
  readonly selected: readonly string[]
  /** Also of blocks that are only about to be there. */
  readonly select: (ids: readonly string[]) => void
  readonly clear: () => void
}

export function useSelection({ nodes, onNodesChange }: Pick<WorkflowFlow, 'nodes' | 'onNodesChange'>): Selection {
  const [wanted, setWanted] = useState<readonly string[] | null>(null)
  const change = useRef(onNodesChange)
  change.current = onNodesChange
  useEffect(() => {
    if (wanted === null || !wanted.every((id) => nodes.some((node) => node.id === id))) return
    setWanted(null)
    change.current(nodes.map(({ id }) => ({ type: 'select', id, selected: wanted.includes(id) })))
  }, [wanted, nodes])
  const selected = nodes.flatMap(({ id, selected }) => (selected ? [id] : []))
  return { selected, select: setWanted, clear: () => setWanted([]) }
}
