/** An open workflow: the canvas, and whatever stands around it. */

import { useReactFlow, type XYPosition } from '@xyflow/react'
import { useEffect, useRef, useState } from 'react'
import { useWorkflowFlow } from 'workflow-sync/react-flow'
import { Icon } from '../shared/icon'
import { DropHint, pickFiles, useDrop } from '../shared/pick'
import { moment } from '../shared/time'
import { useToast } from '../shared/toast'
import { Canvas } from './canvas'
import { useTell } from './company'
import { Conflicts } from './conflicts'
import { Dock } from './dock'
import { graphOf } from './graph'
import { Header, type Side } from './header'
import { History, type Shown, useRestore } from './history'
import { JsonView } from './json-view'
import type { Kind } from './kinds'
import { MAPPING } from './mapping'
import { Panel } from './panel'
import { Preview } from './preview'
import { Share } from './share'
import { type Actions, useActions } from './use-actions'
import { useImport } from './use-import'
import { useKeys } from './use-keys'
import { useEditor, useSnapshot } from './use-opened'
import { useSelection } from './use-selection'

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
        side={side} onSide={open} onShare={() => setSharing(true)} onImport={() => pickFiles(take)} onRename={onRename}
      />
      <main className="stage">
        <div className="canvas">
          {shown ? (
            <Past shown={shown} isReadOnly={isReadOnly} onClose={() => setShown(null)} />
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

/** Tell of conflicts that come up while somebody works. */
function useNewConflicts(onLook: () => void): void {
  const { conflicts } = useSnapshot()
  const toast = useToast()
  const before = useRef(conflicts.length)
  useEffect(() => {
    if (conflicts.length > before.current) {
      toast({ text: 'Two people changed the same thing', action: { label: 'Look', run: onLook } })
    }
    before.current = conflicts.length
  })
}

const CORNER = { x: 120, y: 40 } // from the middle of a block
const NEXT_X = 300 // from a block to the one after it

/** Adding blocks: where somebody asked for one, else after the selected one, else in the middle of what is seen. */
function useAdding(actions: Actions, selected: readonly string[], select: (ids: readonly string[]) => void) {
  const { screenToFlowPosition, getInternalNode } = useReactFlow()
  const [isAdding, setAdding] = useState(false)
  const [asked, setAsked] = useState<string | null>(null) // whose name is to be written
  const place = useRef<XYPosition | null>(null)
  useEffect(() => {
    if (!isAdding) place.current = null
  }, [isAdding])
  const add = (kind: Kind) => {
    const before = selected.length === 1 ? getInternalNode(selected[0] ?? '')?.internals.positionAbsolute : undefined
    const middle = place.current ?? screenToFlowPosition(middleOfCanvas())
    const isAfter = place.current === null && before !== undefined
    const at = isAfter ? { x: before.x + NEXT_X, y: before.y } : { x: middle.x - CORNER.x, y: middle.y - CORNER.y }
    const id = actions.add(kind, at)
    setAsked(id)
    select([id])
    setAdding(false)
  }
  const addAt = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    place.current = screenToFlowPosition({ x: clientX, y: clientY })
    setAdding(true)
  }
  return { asked, setAsked, isAdding, setAdding, add, addAt }
}

function middleOfCanvas(): XYPosition {
  const { left, top, width, height } = document.querySelector('.canvas')?.getBoundingClientRect() ?? new DOMRect()
  return { x: left + width / 2, y: top + height / 2 }
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

function Past({ shown: { version, document, parts }, isReadOnly, onClose }: { shown: Shown; isReadOnly: boolean; onClose: () => void }) {
  const restore = useRestore()
  const { version: current } = useSnapshot()
  return (
    <>
      <Preview key={version.version} document={document} parts={parts} />
      <div className="past" role="status">
        <Icon name="history" size={16} />
        <span>
          Version {version.version} <small>{moment(version.savedAt)}</small>
        </span>
        {!isReadOnly && version.version < current && (
          <button type="button" className="button small primary" onClick={() => void restore(version).then(onClose)}>
            Restore
          </button>
        )}
        <button type="button" className="button small" onClick={onClose}>
          Back to now
        </button>
      </div>
    </>
  )
}
