/** What the workflow is called, also while others rename it. */

import { useEffect, useState } from 'react'
import type { Server } from 'workflow-sync'
import { workflowsOf } from '../list/workflows'
import { wordsFor } from '../shared/ask'
import { useToast } from '../shared/toast'
import { NEW_NAME, useEditor, useSnapshot } from './use-opened'

const CHANGED = 'subscription { workflowsChanged { id kind workflow { name } } }'

type Changed = { readonly workflowsChanged: Pick<Server.WorkflowsChanged, 'id' | 'kind' | 'workflow'> }

export function useName(): [string, (name: string) => void] {
  const { sync, feed, account } = useEditor()
  const { name, workflowId, version } = useSnapshot()
  const [said, setSaid] = useState<string | null>(null)
  const toast = useToast()

  useEffect(
    () =>
      feed.subscribe<Changed>({
        query: CHANGED,
        variables: () => ({}),
        next: ({ workflowsChanged: { id, kind, workflow } }) => {
          if (id === workflowId && kind === 'RENAMED' && workflow) setSaid(workflow.name)
        },
        end: () => {},
      }),
    [feed, workflowId],
  )

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
