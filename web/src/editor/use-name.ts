/** What the workflow is called, also while others rename it. */

import { useState } from 'react'
import { workflowsOf } from '../list/workflows'
import { wordsFor } from '../shared/ask'
import { useToast } from '../shared/toast'
import { NEW_NAME, useEditor, useEvents, useSnapshot } from './use-opened'

export function useName(): [string, (name: string) => void] {
  const { sync, account } = useEditor()
  const { name, workflowId, version } = useSnapshot()
  const [said, setSaid] = useState<string | null>(null)
  const toast = useToast()

  useEvents(({ kind, workflow }) => {
    if (kind === 'RENAMED' && workflow) setSaid(workflow.name)
  })

  const rename = async (next: string) => {
    setSaid(next)
    try {
      if (version === 0) await sync.flush('MANUAL') // there must be something to name
      await workflowsOf(account.connection).rename(workflowId, next)
    } catch (error) {
      setSaid(said)
      toast({ text: wordsFor(error), isBad: true })
    }
  }
  return [said ?? name ?? NEW_NAME, (next) => void rename(next)]
}
