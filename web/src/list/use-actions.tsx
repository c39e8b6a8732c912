/** What can be done with a workflow from the list, and the dialog that some of it needs. */

import { type ReactNode, useState } from 'react'
import { wordsFor } from '../shared/ask'
import { Confirm, Prompt } from '../shared/dialog'
import { download } from '../shared/file'
import type { IconName } from '../shared/icon'
import type { Item } from '../shared/menu'
import { go, workflowAt } from '../shared/route'
import { useToast } from '../shared/toast'
import type { Listed, Workflows } from './workflows'

export interface Actions {
  readonly itemsFor: (workflow: Listed) => readonly Item[]
  readonly dialog: ReactNode
}

export function useActions(workflows: Workflows, reload: () => void): Actions {
  const [dialog, setDialog] = useState<ReactNode>(null)
  const perform = usePerform(reload)
  const acts = actsOn(workflows, perform)
  const close = () => setDialog(null)
  const rename = (workflow: Listed) =>
    setDialog(
      <Prompt
        title="Rename workflow"
        label="Name"
        value={workflow.name}
        action="Rename"
        onClose={close}
        onDone={(name) => acts.rename(workflow, name)}
      />,
    )
  const purge = (workflow: Listed) =>
    setDialog(
      <Confirm
        title={`Delete ${workflow.name} for good?`}
        text="Its history goes too. Nobody can bring it back."
        action="Delete for good"
        onClose={close}
        onConfirm={() => acts.purge(workflow)}
      />,
    )
  return { itemsFor: (workflow) => itemsFor(workflow, { ...acts, rename, purge }), dialog }
}

type Work = () => Promise<unknown>
type Perform = (work: Work, text?: string, undo?: Work) => Promise<void>

/** Do something, say so, and offer the way back. */
function usePerform(reload: () => void): Perform {
  const toast = useToast()
  const perform: Perform = async (work, text, undo) => {
    try {
      await work()
      const action = undo && { label: 'Undo', run: () => void perform(undo) }
      if (text !== undefined) toast({ text, ...(action && { action }) })
    } catch (error) {
      toast({ text: wordsFor(error), isBad: true })
    }
    reload()
  }
  return perform
}

function actsOn(workflows: Workflows, perform: Perform) {
  const back = ({ id }: Listed) => workflows.undelete(id)
  const copied = ({ id, name }: Listed) => workflows.duplicate(id, crypto.randomUUID(), `${name} (copy)`)
  const saved = async ({ id }: Listed) => {
    const { name, state } = await workflows.read(id)
    download(name, state)
  }
  return {
    rename: ({ id }: Listed, name: string) => void perform(() => workflows.rename(id, name), `Renamed to ${name}`),
    purge: ({ id, name }: Listed) => void perform(() => workflows.purge(id), `${name} is gone for good`),
    restore: (listed: Listed) => void perform(() => back(listed), `${listed.name} is back`),
    duplicate: (listed: Listed) => void perform(() => copied(listed), `Copied ${listed.name}`),
    save: (listed: Listed) => void perform(() => saved(listed)),
    remove: (listed: Listed) =>
      void perform(
        () => workflows.remove(listed.id),
        `${listed.name} is in the trash`,
        () => back(listed),
      ),
  }
}

type Acts = Readonly<Record<'rename' | 'purge' | 'restore' | 'duplicate' | 'save' | 'remove', (listed: Listed) => void>>

/** What somebody may do, by role. */
function itemsFor(listed: Listed, acts: Acts): readonly Item[] {
  const item = (act: keyof Acts, label: string, icon: IconName, isBad = false): Item => ({
    label,
    icon,
    isBad,
    run: () => acts[act](listed),
  })
  const { deletedAt, role, id } = listed
  if (deletedAt !== null) {
    return [item('restore', 'Restore', 'restore'), item('purge', 'Delete for good', 'trash', true)]
  }
  return [
    { label: 'Open', icon: 'play', run: () => go(workflowAt(id)) },
    ...(role === 'VIEWER' ? [] : [item('rename', 'Rename', 'pencil')]),
    item('duplicate', 'Duplicate', 'duplicate'),
    item('save', 'Export', 'download'),
    ...(role === 'OWNER' ? [item('remove', 'Move to trash', 'trash', true)] : []),
  ]
}
