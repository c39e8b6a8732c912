/** The tools under the thumb: add a block, take back, do again. */

import { useReactFlow } from '@xyflow/react'
import { Icon, type IconName } from '../shared/icon'
import { MenuList } from '../shared/menu'
import { type Kind, KINDS } from './kinds'
import { useEditor, useSnapshot } from './use-opened'

interface DockProps {
  readonly isAdding: boolean
  readonly onAdding: (isAdding: boolean) => void
  readonly onAdd: (kind: Kind) => void
  readonly selected: readonly string[]
  readonly onDuplicate: () => void
}

export function Dock({ isAdding, onAdding, onAdd, selected, onDuplicate }: DockProps) {
  const { sync } = useEditor()
  const { canUndo, canRedo } = useSnapshot()
  const { deleteElements } = useReactFlow()
  const remove = () => void deleteElements({ nodes: selected.map((id) => ({ id })) })
  const items = KINDS.map((kind) => ({
    label: kind.name,
    icon: kind.icon,
    detail: kind.detail,
    run: () => onAdd(kind),
  }))
  const leave = (event: React.FocusEvent) => !event.currentTarget.contains(event.relatedTarget) && onAdding(false)
  return (
    <div className="dock" role="toolbar" aria-label="Tools">
      <div className="menu-place" onBlur={leave}>
        <button
          type="button"
          className="button primary"
          aria-haspopup="menu"
          aria-expanded={isAdding}
          title="Add block (A)"
          onClick={() => onAdding(!isAdding)}
        >
          <Icon name="add" /> Add block
        </button>
        {isAdding && <MenuList label="Kinds of blocks" items={items} onClose={() => onAdding(false)} />}
      </div>
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
