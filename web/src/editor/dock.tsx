/** The tools under the thumb: add a block, take back, do again. */

import { useReactFlow } from '@xyflow/react'
import type { FocusEvent } from 'react'
import { Icon, type IconName } from '../shared/icon'
import { MenuList } from '../shared/menu'
import { type Kind, KINDS } from './kinds'
import type { Adding } from './use-adding'
import { useEditor, useSnapshot } from './use-opened'

interface DockProps {
  readonly adding: Adding
  readonly selected: readonly string[]
  readonly onDuplicate: () => void
}

export function Dock({ adding, selected, onDuplicate }: DockProps) {
  const { sync } = useEditor()
  const { canUndo, canRedo } = useSnapshot()
  const { deleteElements } = useReactFlow()
  const remove = () => void deleteElements({ nodes: selected.map((id) => ({ id })) })
  return (
    <div className="dock" role="toolbar" aria-label="Tools">
      <Palette adding={adding} />
      <Tool label="Undo" icon="undo" isOff={!canUndo} onClick={sync.undo} />
      <Tool label="Redo" icon="redo" isOff={!canRedo} onClick={sync.redo} />
      {selected.length > 1 && (
        <>
          <span className="dock-count">{selected.length} selected</span>
          <Tool label="Duplicate selected" icon="duplicate" onClick={onDuplicate} />
          <Tool label="Delete selected" icon="trash" onClick={remove} />
        </>
      )}
    </div>
  )
}

function Palette({ adding: { isAdding, setAdding, add } }: { adding: Adding }) {
  const itemFor = (kind: Kind) => ({ label: kind.name, icon: kind.icon, detail: kind.detail, run: () => add(kind) })
  const leave = (event: FocusEvent) => !event.currentTarget.contains(event.relatedTarget) && setAdding(false)
  return (
    <div className="menu-place" onBlur={leave}>
      <button
        type="button"
        className="button primary"
        aria-haspopup="menu"
        aria-expanded={isAdding}
        title="Add block (A)"
        onClick={() => setAdding(!isAdding)}
      >
        <Icon name="add" /> Add block
      </button>
      {isAdding && <MenuList label="Kinds of blocks" items={KINDS.map(itemFor)} onClose={() => setAdding(false)} />}
    </div>
  )
}

interface ToolProps {
  readonly label: string
  readonly icon: IconName
  readonly isOff?: boolean
  readonly onClick: () => void
}

function Tool({ label, icon, isOff = false, onClick }: ToolProps) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} disabled={isOff} onClick={onClick}>
      <Icon name={icon} />
    </button>
  )
}
