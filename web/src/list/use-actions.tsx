/** What can be done with a workflow from the list, and the dialog that some of it needs. */

import { type ReactNode, useState } from 'react'
import { wordsFor } from '../shared/ask'
import { Confirm, Prompt } from '../shared/dialog'
import { download } from '../shared/file'
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
  const toast = useToast()
  const close = () => setDialog(null)

  const perform = async (work: () => Promise<unknown>, text?: string, undo?: () => Promise<unknown>) => {
    try {
      await work()
      const action = undo && { label: 'Undo', run: () => void perform(undo) }
      if (text !== undefined) toast({ text, ...(action && { action }) })
    } catch (error) {
      toast({ text: wordsFor(error), isBad: true })
    }
    reload()
  }

  const rename = ({ id, name }: Listed) =>
    setDialog(
      <Prompt
        title="Rename workflow"
        label="Name"
        value={name}
        action="Rename"
        onClose={close}
        onDone={(next) => void perform(() => workflows.rename(id, next), `Renamed to ${next}`)}
      />,
    )
  const purge = ({ id, name }: Listed) =>
    setDialog(
      <Confirm
        title={`Delete ${name} for good?`}
        text="Its history goes too. Nobody can bring it back."
        action="Delete for good"
        onClose={close}
        onConfirm={() => void perform(() => workflows.purge(id), `${name} is gone for good`)}
      />,
    )
  const remove = ({ id, name }: Listed) =>
    perform(
      () => workflows.remove(id),
      `${name} is in the trash`,
      () => workflows.undelete(id),
    )
  const restore = ({ id, name }: Listed) => perform(() => workflows.undelete(id), `${name} is back`)
  const duplicate = ({ id, name }: Listed) =>
    perform(() => workflows.duplicate(id, crypto.randomUUID(), `${name} (copy)`), `Copied ${name}`)
  const save = ({ id }: Listed) =>
    perform(async () => {
      const { name, state } = await workflows.read(id)
      download(name, state)
    })

  const itemsFor = (workflow: Listed): readonly Item[] => {
    const isOwner = workflow.role === 'OWNER'
    if (workflow.deletedAt !== null) {
      return [
        { label: 'Restore', icon: 'restore', run: () => void restore(workflow) },
        { label: 'Delete for good', icon: 'trash', isBad: true, run: () => purge(workflow) },
      ]
    }
    return [
      { label: 'Open', icon: 'play', run: () => go(workflowAt(workflow.id)) },
      ...(workflow.role === 'VIEWER'
        ? []
        : [{ label: 'Rename', icon: 'pencil', run: () => rename(workflow) } as const]),
      { label: 'Duplicate', icon: 'duplicate', run: () => void duplicate(workflow) },
      { label: 'Export', icon: 'download', run: () => void save(workflow) },
      ...(isOwner
        ? [{ label: 'Move to trash', icon: 'trash', isBad: true, run: () => void remove(workflow) } as const]
        : []),
    ]
  }
  return { itemsFor, dialog }
}
