/** Files that are dropped onto an open workflow. */

import { type ReactNode, useState } from 'react'
import { graphOf } from 'workflow-sync/graph'
import { workflowsOf } from '../list/workflows'
import { wordsFor } from '../shared/ask'
import { type Imported, readWorkflow } from '../shared/file'
import { go, workflowAt } from '../shared/route'
import { useToast } from '../shared/toast'
import { Replace } from './replace'
import { useEditor } from './use-opened'

export function useImport(isReadOnly: boolean): [(files: readonly File[]) => void, ReactNode] {
  const { sync, account } = useEditor()
  const [asked, setAsked] = useState<Imported | null>(null)
  const toast = useToast()

  const replace = ({ document, name }: Imported) => {
    sync.update(document, { allowEmpty: true })
    toast({ text: `Imported ${name}`, action: { label: 'Undo', run: sync.undo } })
  }
  const open = async ({ document, name }: Imported) => {
    const id = crypto.randomUUID()
    await workflowsOf(account.connection).create(id, name, document)
    go(workflowAt(id))
  }
  const complain = (error: unknown) => toast({ text: wordsFor(error), isBad: true })
  const take = async ([file]: readonly File[]) => {
    if (!file) return
    const imported = await readWorkflow(file)
    const isEmpty = graphOf(sync.getSnapshot().document)?.elements.size === 0
    if (isReadOnly) await open(imported)
    else if (isEmpty) replace(imported)
    else setAsked(imported)
  }
  const dialog = asked && (
    <Replace
      file={asked}
      onClose={() => setAsked(null)}
      onReplace={() => replace(asked)}
      onOpen={() => void open(asked).catch(complain)}
    />
  )
  return [(files) => void take(files).catch(complain), dialog]
}
