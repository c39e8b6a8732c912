/** An open workflow: the bar, the stage below it, and what comes over them. */

import { useState } from 'react'
import { DropHint, pickFiles, useDrop } from '../shared/pick'
import { Header, type Side } from './header'
import type { Shown } from './history'
import { Share } from './share'
import { Stage } from './stage'
import { useImport } from './use-import'
import { useLive } from './use-live'
import { useNewConflicts } from './use-new-conflicts'
import { useSnapshot } from './use-opened'
import { useTrashed } from './use-trashed'

export function Workspace({ onRename }: { onRename: (name: string) => void }) {
  const { role } = useSnapshot()
  const [side, setSide] = useState<Side | null>(null)
  const [shown, setShown] = useState<Shown | null>(null)
  const [isSharing, setSharing] = useState(false)
  const [take, replacing] = useImport(role === 'VIEWER')
  const isOver = useDrop(take)
  const open = (next: Side | null) => {
    setSide(next)
    if (next !== 'history') setShown(null)
  }
  useLive()
  useTrashed()
  useNewConflicts(() => open('conflicts'))
  return (
    <div className="workspace">
      <Header
        side={side}
        onSide={open}
        onShare={() => setSharing(true)}
        onImport={() => pickFiles(take)}
        onRename={onRename}
      />
      <Stage side={side} onSide={open} shown={shown} onShow={setShown} />
      {isSharing && <Share onClose={() => setSharing(false)} />}
      {replacing}
      {isOver && <DropHint text="Drop a workflow to import it" />}
    </div>
  )
}
