/** The bar above the canvas: which workflow, whether it is safe, who is here, and what can be done with it whole. */

import { useState } from 'react'
import icon from '../icon.svg'
import { workflowsOf } from '../list/workflows'
import { wordsFor } from '../shared/ask'
import { Prompt } from '../shared/dialog'
import { download } from '../shared/file'
import { Icon } from '../shared/icon'
import { type Item, Menu } from '../shared/menu'
import { go, LIST, workflowAt } from '../shared/route'
import { useToast } from '../shared/toast'
import { Me } from '../shared/top'
import { Indicator } from './indicator'
import { People } from './people'
import { useName } from './use-name'
import { useEditor, useSnapshot } from './use-opened'

export type Side = 'history' | 'conflicts'

interface HeaderProps {
  readonly side: Side | null
  readonly onSide: (side: Side | null) => void
  readonly onShare: () => void
  readonly onImport: () => void
  readonly onRename: (name: string) => void
}

export function Header({ side, onSide, onShare, onImport, onRename }: HeaderProps) {
  const { account } = useEditor()
  const { conflicts } = useSnapshot()
  const toggle = (other: Side) => onSide(side === other ? null : other)
  return (
    <header className="bar">
      <a className="bar-home" href={LIST} aria-label="All workflows" title="All workflows">
        <img src={icon} alt="" width="28" height="28" />
      </a>
      <Name />
      <Indicator />
      <div className="bar-right">
        <People />
        {conflicts.length > 0 && (
          <button
            type="button"
            className="bar-button conflict-button"
            aria-pressed={side === 'conflicts'}
            onClick={() => toggle('conflicts')}
          >
            <Icon name="conflict" /> <span className="bar-count">{conflicts.length}</span>
            <span className="bar-word">{conflicts.length === 1 ? 'conflict' : 'conflicts'}</span>
          </button>
        )}
        <button
          type="button"
          className="bar-button"
          aria-pressed={side === 'history'}
          onClick={() => toggle('history')}
        >
          <Icon name="history" /> <span className="bar-word">History</span>
        </button>
        <button type="button" className="bar-button" onClick={onShare}>
          <Icon name="share" /> <span className="bar-word">Share</span>
        </button>
        <More onImport={onImport} />
        <Me account={account} onRename={onRename} />
      </div>
    </header>
  )
}

function Name() {
  const [name, rename] = useName()
  const { role } = useSnapshot()
  const [isNaming, setNaming] = useState(false)
  return (
    <h1 className="bar-name">
      <title>{`${name} · Workflow Sync`}</title>
      {role === 'VIEWER' ? (
        <span>{name}</span>
      ) : (
        <button type="button" title="Rename" onClick={() => setNaming(true)}>
          {name}
        </button>
      )}
      {isNaming && (
        <Prompt
          title="Rename workflow"
          label="Name"
          value={name}
          action="Rename"
          onDone={rename}
          onClose={() => setNaming(false)}
        />
      )}
    </h1>
  )
}

function More({ onImport }: { onImport: () => void }) {
  const { account } = useEditor()
  const { document, name, workflowId, version, role } = useSnapshot()
  const toast = useToast()
  const workflows = workflowsOf(account.connection)
  const title = name ?? 'workflow'
  const perform = (work: () => Promise<unknown>) =>
    void work().catch((error: unknown) => toast({ text: wordsFor(error), isBad: true }))
  const duplicate = async () => {
    const copy = crypto.randomUUID()
    await workflows.duplicate(workflowId, copy, `${title} (copy)`)
    go(workflowAt(copy))
  }
  const remove = async () => {
    await workflows.remove(workflowId)
    go(LIST)
    toast({
      text: `${title} is in the trash`,
      action: { label: 'Undo', run: () => perform(() => workflows.undelete(workflowId)) },
    })
  }
  const items: readonly Item[] = [
    { label: 'Export', icon: 'download', run: () => download(title, document) },
    ...(role === 'VIEWER' ? [] : [{ label: 'Import a file', icon: 'upload', run: onImport } as const]),
    ...(version > 0 ? [{ label: 'Duplicate', icon: 'duplicate', run: () => perform(duplicate) } as const] : []),
    ...(role === 'OWNER'
      ? [{ label: 'Move to trash', icon: 'trash', isBad: true, run: () => perform(remove) } as const]
      : []),
  ]
  return (
    <Menu label="More" items={items} className="bar-button">
      <Icon name="dots" />
    </Menu>
  )
}
