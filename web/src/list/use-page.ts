/** The part of the list that is shown, kept up to date while others work. */

import { useCallback, useEffect, useRef, useState } from 'react'
import { type Connection, sendLeftovers, webSocketFeed } from 'workflow-sync'
import type { Listed, Page, Workflows } from './workflows'

const CHANGED = 'subscription { workflowsChanged { id } }'
const GATHER_MS = 400 // of news make one question

export interface Shown {
  readonly workflows: readonly Listed[] | null
  readonly error: unknown
  readonly more: (() => void) | null
  readonly reload: () => void
}

export function usePage(workflows: Workflows, connection: Connection, search: string, deleted: boolean): Shown {
  const [page, setPage] = useState<Page | null>(null)
  const [error, setError] = useState<unknown>(null)
  const turn = useRef(0)

  const load = useCallback(
    async (after: string | null, before: readonly Listed[]) => {
      const mine = (turn.current += 1)
      try {
        const next = await workflows.list({ after, search: search || null, deleted })
        if (mine !== turn.current) return
        setPage({ ...next, workflows: [...before, ...next.workflows] })
        setError(null)
      } catch (failure) {
        if (mine === turn.current) setError(failure)
      }
    },
    [workflows, search, deleted],
  )
  const reload = useCallback(() => void load(null, []), [load])

  useEffect(reload, [reload])
  useEffect(() => hearChanges(connection, reload), [connection, reload])
  useEffect(() => sendLeftovers(connection), [connection]) // those that save are heard

  const after = page?.after ?? null
  const more = page && after !== null ? () => void load(after, page.workflows) : null
  return { workflows: page?.workflows ?? null, error, more, reload }
}

/** Tells of changes, and when there may have been some unheard. */
function hearChanges(connection: Connection, onChange: () => void): () => void {
  const feed = webSocketFeed(connection)
  let timer: ReturnType<typeof setTimeout> | undefined
  let wasConnected = false
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, GATHER_MS)
  }
  feed.subscribe({ query: CHANGED, variables: () => ({}), next: soon, end: () => {} })
  feed.watch((isConnected) => {
    if (isConnected && wasConnected) soon()
    wasConnected ||= isConnected
  })
  return () => {
    clearTimeout(timer)
    feed.close()
  }
}
