/** An open workflow: the canvas, and whatever stands around it. */

import { useState } from 'react'
import { useWorkflowFlow } from 'workflow-sync/react-flow'
import { DropHint, pickFiles, useDrop } from '../shared/pick'
import { Canvas } from './canvas'
import { useTell } from './company'
import { Conflicts } from './conflicts'
import { Dock } from './dock'
import { graphOf } from './graph'
import { Header, type Side } from './header'
import { History, type Shown } from './history'
import { JsonView } from './json-view'
import { MAPPING } from './mapping'
import { Panel } from './panel'
import { Past } from './past'
import { Share } from './share'
import { useActions } from './use-actions'
import { useAdding } from './use-adding'
import { useImport } from './use-import'
import { useKeys } from './use-keys'
import { useLive } from './use-live'
import { useNewConflicts } from './use-new-conflicts'
import { useEditor, useSnapshot } from './use-opened'
import { useSelection } from './use-selection'
import { useTrashed } from './use-trashed'

export function Workspace({ onRename }: { onRename: (name: string) => void }) {
  const { sync } = useEditor()
  const { document, role } = useSnapshot()
  const isReadOnly = role === 'VIEWER'
  const hasGraph = graphOf(document) !== null
  const actions = useActions(sync)
  const flow = useWorkflowFlow(sync, MAPPING)
  const { selected, select, clear } = useSelection(flow)
  const [side, setSide] = useState<Side | null>(null)
  const [shown, setShown] = useState<Shown | null>(null)
  const [isSharing, setSharing] = useState(false)
  const { asked, setAsked, isAdding, setAdding, add, addAt } = useAdding(actions, selected, select)
  const [take, replacing] = useImport(isReadOnly)
  const isOver = useDrop(take)
  const duplicate = () => isReadOnly || select(actions.duplicate(selected))
  useTell(selected)
  useLive()
  useTrashed()
  useKeys({
    undo: sync.undo,
    redo: sync.redo,
    save: () => void sync.flush('MANUAL').catch(() => {}), // the indicator says what came of it
    duplicate,
    add: () => isReadOnly || !hasGraph || setAdding(true),
  })
  const open = (next: Side | null) => {
    setSide(next)
    if (next !== 'history') setShown(null)
  }
  useNewConflicts(() => open('conflicts'))
  const [only] = selected
  const leave = () => {
    clear()
    focusBlock(only)
  }
  return (
    <div className="workspace">
      <Header
        side={side}
        onSide={open}
        onShare={() => setSharing(true)}
        onImport={() => pickFiles(take)}
        onRename={onRename}
      />
      <main className="stage">
        <div className="canvas">
          {shown ? (
            <Past shown={shown} onClose={() => setShown(null)} />
          ) : hasGraph ? (
            <Canvas flow={flow} onAddAt={addAt} onEnter={setAsked} />
          ) : (
            <JsonView />
          )}
          {!shown && hasGraph && !isReadOnly && (
            <Dock isAdding={isAdding} onAdding={setAdding} onAdd={add} selected={selected} onDuplicate={duplicate} />
          )}
          {!shown && hasGraph && graphOf(document)?.blocks.size === 0 && <Hint isReadOnly={isReadOnly} />}
        </div>
        {side === 'history' && <History shown={shown} onShow={setShown} onClose={() => open(null)} />}
        {side === 'conflicts' && <Conflicts onClose={() => open(null)} />}
        {side === null && only !== undefined && selected.length === 1 && (
          <Panel id={only} isAsked={only === asked} onAnswered={() => setAsked(null)} onClose={leave} />
        )}
      </main>
      {isSharing && <Share onClose={() => setSharing(false)} />}
      {replacing}
      {isOver && <DropHint text="Drop a workflow to import it" />}
    </div>
  )
}

/** Go back to where the panel was opened from. */
function focusBlock(id: string | undefined): void {
  if (id !== undefined) document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus()
}

function Hint({ isReadOnly }: { isReadOnly: boolean }) {
  return (
    <div className="hint">
      <p className="hint-title">{isReadOnly ? 'Nothing here yet' : 'An empty canvas'}</p>
      {!isReadOnly && (
        <p>
          Add a block, double-click anywhere, or press <kbd>A</kbd>. Files of other editors can be dropped here.
        </p>
      )}
    </div>
  )
}
