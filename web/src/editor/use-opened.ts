/** One workflow, opened for as long as its page is shown. */

import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import {
  createPresence,
  createWorkflowSync,
  type Feed,
  type Room,
  type Server,
  type Snapshot,
  SyncError,
  webSocketFeed,
  type WorkflowSync,
} from 'workflow-sync'
import { threeWay } from 'workflow-sync/merge'
import type { Account } from '../shared/account'
import { EMPTY_WORKFLOW } from './graph'

export const NEW_NAME = 'Untitled workflow'
const DEBOUNCE_MS = 60 // between keys: others are watching, and an edit should be on their screens within 150 ms
const MAX_WAIT_MS = 400 // and they should see a block move while it is dragged

export interface Opened {
  readonly sync: WorkflowSync
  readonly room: Room
  readonly feed: Feed
  readonly account: Account
}

/** Null at first. Another `attempt` opens it anew. What is unsaved when the page is left is saved by the library. */
export function useOpened(id: string, isNew: boolean, account: Account, attempt: number): Opened | null {
  const [opened, setOpened] = useState<Omit<Opened, 'account'> | null>(null)
  const { connection } = account
  useEffect(() => {
    const feed = webSocketFeed(connection)
    const start = isNew ? { initial: EMPTY_WORKFLOW, name: NEW_NAME } : {}
    const sync = createWorkflowSync({
      ...connection,
      ...start,
      workflowId: id,
      feed: () => feed,
      merge: threeWay,
      debounceMs: DEBOUNCE_MS,
      maxWaitMs: MAX_WAIT_MS,
    })
    const safe = forgiving(sync)
    const enter = () => createPresence({ workflowId: id, clientId: sync.clientId, feed })
    let room = enter()
    const stop = onBirth(sync, isNew, () => {
      room.close()
      room = enter() // nobody can be where nothing is
      setOpened({ sync: safe, room, feed })
    })
    setOpened({ sync: safe, room, feed })
    return () => {
      stop()
      room.close()
      void sync.close()
    }
  }, [id, connection, attempt])
  return opened && { ...opened, account }
}

/** Tells when a new workflow is there for others, too. */
function onBirth(sync: WorkflowSync, isNew: boolean, then: () => void): () => void {
  if (!isNew) return () => {}
  const stop = sync.subscribe(() => {
    if (sync.getSnapshot().version === 0) return
    stop()
    then()
  })
  return stop
}

/** Why an edit is not taken, as of a viewer, is in the snapshot: who makes it need not catch anything. */
function forgiving(sync: WorkflowSync): WorkflowSync {
  const forgive =
    <Given extends unknown[]>(act: (...given: Given) => void) =>
    (...given: Given): void => {
      try {
        act(...given)
      } catch (error) {
        if (!(error instanceof SyncError)) throw error
      }
    }
  const [update, undo, redo] = [forgive(sync.update), forgive(sync.undo), forgive(sync.redo)]
  const [retry, discard] = [forgive(sync.retry), forgive(sync.discard)]
  return Object.assign(Object.create(sync) as WorkflowSync, { update, undo, redo, retry, discard })
}

const Context = createContext<Opened | null>(null)

export const OpenedProvider = Context

export function useEditor(): Opened {
  const opened = useContext(Context)
  if (opened === null) throw new Error('Nothing is open here')
  return opened
}

export function useSnapshot(): Snapshot {
  const { sync } = useEditor()
  return useSyncExternalStore(sync.subscribe, sync.getSnapshot)
}

const CHANGED = 'subscription { workflowsChanged { id kind by workflow { name } } }'

type Changed = Pick<Server.WorkflowsChanged, 'id' | 'kind' | 'by' | 'workflow'>

/** Hear what happens to this workflow besides saves. */
export function useEvents(onEvent: (event: Changed) => void): void {
  const { feed } = useEditor()
  const { workflowId } = useSnapshot()
  const handler = useRef(onEvent)
  handler.current = onEvent
  useEffect(
    () =>
      feed.subscribe<{ readonly workflowsChanged: Changed }>({
        query: CHANGED,
        variables: () => ({}),
        next: ({ workflowsChanged }) => workflowsChanged.id === workflowId && handler.current(workflowsChanged),
        end: () => {},
      }),
    [feed, workflowId],
  )
}
