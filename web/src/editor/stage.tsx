/** The canvas, or what stands in its place, and the drawer beside it. */

import { graphOf } from 'workflow-sync/graph'
import { useWorkflowFlow } from 'workflow-sync/react-flow'
import { Canvas } from './canvas'
import { useTell } from './company'
import { Conflicts } from './conflicts'
import { Dock } from './dock'
import type { Side } from './header'
import { History, type Shown } from './history'
import { JsonView } from './json-view'
import { MAPPING } from './mapping'
import { Panel } from './panel'
import { Past } from './past'
import { useActions } from './use-actions'
import { useAdding } from './use-adding'
import { useKeys } from './use-keys'
import { useEditor, useSnapshot } from './use-opened'
import { useSelection } from './use-selection'

interface StageProps {
  readonly side: Side | null
  readonly onSide: (side: Side | null) => void
  readonly shown: Shown | null
  readonly onShow: (shown: Shown | null) => void
}

export function Stage({ side, onSide, shown, onShow }: StageProps) {
  const { sync } = useEditor()
  const graph = graphOf(useSnapshot().document)
  const actions = useActions(sync)
  const flow = useWorkflowFlow(sync, MAPPING)
  const { selected, select, clear } = useSelection(flow)
  const adding = useAdding(actions, selected, select)
  const { isReadOnly } = flow
  const duplicate = () => isReadOnly || select(actions.duplicate(selected))
  const [only] = selected.length === 1 ? selected : []
  const leave = () => {
    clear()
    focusBlock(only)
  }
  useTell(selected)
  useKeys({
    undo: sync.undo,
    redo: sync.redo,
    save: () => void sync.flush('MANUAL').catch(() => {}), // the indicator says what came of it
    duplicate,
    add: () => isReadOnly || graph === null || adding.setAdding(true),
  })
  return (
    <main className="stage">
      <div className="canvas">
        {shown && <Past shown={shown} onClose={() => onShow(null)} />}
        {!shown && !graph && <JsonView />}
        {!shown && graph && <Canvas flow={flow} onAddAt={adding.addAt} onEnter={adding.setAsked} />}
        {!shown && graph && !isReadOnly && <Dock adding={adding} selected={selected} onDuplicate={duplicate} />}
        {!shown && graph?.elements.size === 0 && <Hint isReadOnly={isReadOnly} />}
      </div>
      {side === 'history' && <History shown={shown} onShow={onShow} onClose={() => onSide(null)} />}
      {side === 'conflicts' && <Conflicts onClose={() => onSide(null)} />}
      {side === null && only !== undefined && (
        <Panel id={only} isAsked={only === adding.asked} onAnswered={() => adding.setAsked(null)} onClose={leave} />
      )}
    </main>
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
