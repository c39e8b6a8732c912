/**
 * A client that starts when somebody looks at it and ends when nobody does any more. React needs that: it renders what
 * it may throw away, renders on servers, and (in StrictMode) takes away what it puts back at once.
 */

import { snapshotOf, UNKNOWN } from './snapshot.js'
import { NO_STEPS } from './steps.js'
import { createWorkflowSync } from './sync.js'
import type { Document, Options, Snapshot, WorkflowSync } from './types.js'

export interface LazySync<D extends Document> {
  readonly sync: WorkflowSync<D>
  /** Take over the newest options: another workflow is switched to, another `getAuth` is asked from now on. */
  readonly follow: (options: Options<D>) => void
}

export function createLazySync<D extends Document>(options: Options<D>): LazySync<D> {
  let newest = options
  let started: WorkflowSync<D> | undefined
  let watchers = 0
  let switching = Promise.resolve()
  let unstarted = unstartedOf(options)

  const start = () => (started ??= createWorkflowSync({ ...newest, getAuth: (ask) => newest.getAuth(ask) }))

  const end = async () => {
    const ended = started
    started = undefined
    await ended?.close()
  }

  const getSnapshot = () => started?.getSnapshot() ?? unstarted

  const sync: WorkflowSync<D> = {
    get clientId() {
      return start().clientId
    },
    get history() {
      return start().history
    },
    get status() {
      return getSnapshot().status
    },
    get hasUnsynced() {
      return getSnapshot().hasUnsynced
    },
    get conflicts() {
      return getSnapshot().conflicts
    },
    getSnapshot,
    subscribe: (listener) => {
      watchers++
      const stop = start().subscribe(listener)
      return () => {
        stop()
        watchers--
        setTimeout(() => watchers || end())
      }
    },
    update: (edit, how) => start().update(edit, how),
    flush: (reason) => start().flush(reason),
    resolve: (conflictId, take) => start().resolve(conflictId, take),
    retry: () => start().retry(),
    discard: () => start().discard(),
    undo: () => start().undo(),
    redo: () => start().redo(),
    switchTo: (workflowId, opening) => start().switchTo(workflowId, opening),
    close: end,
  }

  const catchUp = async () => {
    const { workflowId } = newest
    if (started && started.getSnapshot().workflowId !== workflowId) await started.switchTo(workflowId, newest)
  }

  return {
    sync,
    follow: (options) => {
      const isOther = options.workflowId !== newest.workflowId
      newest = options
      if (!isOther) return
      unstarted = unstartedOf(options)
      switching = switching.then(catchUp)
    },
  }
}

const unstartedOf = <D extends Document>({ workflowId, initial }: Options<D>) =>
  snapshotOf(workflowId, initial ?? {}, null, NO_STEPS, UNKNOWN) as Snapshot<D>
