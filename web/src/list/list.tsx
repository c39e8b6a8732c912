/** The first page: a person's workflows, and those in the trash. */

import './list.css'

import { useDeferredValue, useMemo, useState } from 'react'
import type { Account } from '../shared/account'
import { wordsFor } from '../shared/ask'
import { readWorkflow } from '../shared/file'
import { Icon } from '../shared/icon'
import { Loading, Notice } from '../shared/notice'
import { DropHint, pickFiles, useDrop } from '../shared/pick'
import { go, LIST, NEW, TRASH, workflowAt } from '../shared/route'
import { useToast } from '../shared/toast'
import { Top } from '../shared/top'
import { Card } from './card'
import { useActions } from './use-actions'
import { type Shown, usePage } from './use-page'
import { type Workflows, workflowsOf } from './workflows'

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
        <div className="list-head">
          <h1>{isTrash ? 'Trash' : 'Workflows'}</h1>
          <div className="list-actions">
            <button type="button" className="button" onClick={() => pickFiles(take)}>
              <Icon name="upload" /> Import
            </button>
            <a className="button primary" href={NEW}>
              <Icon name="add" /> New workflow
            </a>
          </div>
        </div>
        <div className="list-tools">
          <label className="search">
            <Icon name="search" />
            <input
              type="search"
              aria-label="Search workflows"
              placeholder="Search by name"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
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

interface FoundProps {
  readonly shown: Shown
  readonly search: string
  readonly isTrash: boolean
  readonly children: React.ReactNode
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

/** Import files, and open the workflow where it was one. */
function useImport(workflows: Workflows): (files: readonly File[]) => void {
  const toast = useToast()
  const take = async (file: File): Promise<{ readonly id: string; readonly name: string } | null> => {
    try {
      const { name, document } = await readWorkflow(file)
      const id = crypto.randomUUID()
      await workflows.create(id, name, document)
      return { id, name }
    } catch (error) {
      toast({ text: `${file.name}: ${wordsFor(error)}`, isBad: true })
      return null
    }
  }
  return async (files) => {
    const taken = (await Promise.all(files.map(take))).filter((imported) => imported !== null)
    const [only] = taken
    if (files.length === 1 && only) go(workflowAt(only.id))
    else if (only) toast({ text: `Imported ${taken.map(({ name }) => name).join(', ')}` })
  }
}
