/** The first page: a person's workflows, and those in the trash. */

import './list.css'

import { type ReactNode, useDeferredValue, useMemo, useState } from 'react'
import type { Account } from '../shared/account'
import { wordsFor } from '../shared/ask'
import { Icon } from '../shared/icon'
import { Loading, Notice } from '../shared/notice'
import { DropHint, pickFiles, useDrop } from '../shared/pick'
import { LIST, NEW, TRASH } from '../shared/route'
import { Top } from '../shared/top'
import { Card } from './card'
import { useActions } from './use-actions'
import { useImport } from './use-import'
import { type Shown, usePage } from './use-page'
import { workflowsOf } from './workflows'

interface ListProps {
  readonly account: Account
  readonly isTrash: boolean
  readonly onRename: (name: string) => void
}

export function List({ account, isTrash, onRename }: ListProps) {
  const workflows = useMemo(() => workflowsOf(account.connection), [account.connection])
  const [search, setSearch] = useState('')
  const shown = usePage(workflows, account.connection, useDeferredValue(search.trim()), isTrash)
  const { itemsFor, dialog } = useActions(workflows, shown.reload)
  const take = useImport(workflows)
  const isOver = useDrop(take)
  return (
    <div className="list-page">
      <title>{isTrash ? 'Trash · Workflow Sync' : 'Workflow Sync'}</title>
      <Top account={account} onRename={onRename} />
      <main>
        <Head isTrash={isTrash} onFiles={take} />
        <Tools isTrash={isTrash} search={search} onSearch={setSearch} />
        <Found shown={shown} search={search} isTrash={isTrash}>
          <ul className="cards" aria-label={isTrash ? 'Trash' : 'Workflows'}>
            {shown.workflows?.map((workflow) => (
              <Card key={workflow.id} workflow={workflow} account={account} items={itemsFor(workflow)} />
            ))}
          </ul>
          {shown.more && (
            <button type="button" className="button more" onClick={shown.more}>
              Show more
            </button>
          )}
        </Found>
      </main>
      {dialog}
      {isOver && <DropHint text="Drop a workflow to import it" />}
    </div>
  )
}

function Head({ isTrash, onFiles }: { isTrash: boolean; onFiles: (files: readonly File[]) => void }) {
  return (
    <div className="list-head">
      <h1>{isTrash ? 'Trash' : 'Workflows'}</h1>
      <div className="list-actions">
        <button type="button" className="button" onClick={() => pickFiles(onFiles)}>
          <Icon name="upload" /> Import
        </button>
        <a className="button primary" href={NEW}>
          <Icon name="add" /> New workflow
        </a>
      </div>
    </div>
  )
}

interface ToolsProps {
  readonly isTrash: boolean
  readonly search: string
  readonly onSearch: (search: string) => void
}

function Tools({ isTrash, search, onSearch }: ToolsProps) {
  return (
    <div className="list-tools">
      <label className="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search workflows"
          placeholder="Search by name"
          value={search}
          onChange={(event) => onSearch(event.target.value)}
        />
      </label>
      <nav className="tabs" aria-label="Lists">
        <a href={LIST} aria-current={isTrash ? undefined : 'page'}>
          Workflows
        </a>
        <a href={TRASH} aria-current={isTrash ? 'page' : undefined}>
          Trash
        </a>
      </nav>
    </div>
  )
}

interface FoundProps {
  readonly shown: Shown
  readonly search: string
  readonly isTrash: boolean
  readonly children: ReactNode
}

function Found({ shown: { workflows, error, reload }, search, isTrash, children }: FoundProps) {
  if (error !== null && workflows === null) {
    return (
      <Notice icon="alert" title="The list cannot be read">
        <p>{wordsFor(error)}</p>
        <button type="button" className="button" onClick={reload}>
          Try again
        </button>
      </Notice>
    )
  }
  if (workflows === null) return <Loading label="Reading your workflows" />
  if (workflows.length > 0) return children
  if (search) return <Notice icon="search" title={`Nothing is called “${search}”`} />
  if (isTrash) return <Notice icon="trash" title="The trash is empty" />
  return (
    <Notice icon="branch" title="Nothing here yet">
      <p>Start with an empty canvas, or drop a file of Sim, Langflow, Flowise or React Flow anywhere on this page.</p>
      <a className="button primary" href={NEW}>
        <Icon name="add" /> New workflow
      </a>
    </Notice>
  )
}
