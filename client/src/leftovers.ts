/** What clients left that are gone: sent in order, in the name of each, beside what is shown. */

import { deliver } from './delivery.js'
import { newId } from './ids.js'
import type { Outbox } from './outbox.js'
import { begin, hasStrayed, isWaiting, loaded, reloaded, segmentsOf } from './pending.js'
import { SyncError, type Request } from './request.js'
import type { Orphan } from './tabs.js'
import { read } from './wire.js'

const NOWHERE = -1 // a version that no workflow has

export interface Leftovers {
  /** Send what is in a box, after those before; what is refused, or not taken now, stays in it. */
  readonly send: (orphan: Orphan) => void
  /** Resolves when nothing of a workflow is being sent. */
  readonly sent: (workflowId: string) => Promise<void> | undefined
}

/** `onSent` is told each workflow of which everything that was in a box is decided. */
export function createLeftovers(request: Request, outbox: Outbox, onSent: (workflowId: string) => void): Leftovers {
  let sending = Promise.resolve()
  let current = '' // workflow

  const empty = async ({ box, isHeld }: Orphan) => {
    const { clientId, workflowId, segments } = box
    current = workflowId
    let pending = loaded(begin({ clientId, last: 0, version: NOWHERE, confirmed: {} }), segments)
    const put = (next: typeof pending) => {
      if (!isHeld()) throw new SyncError('CLOSED')
      pending = next
      outbox.write({ ...box, clientId: next.clientId, segments: segmentsOf(next) })
    }
    const reload = async () => {
      const { workflow } = await read(request, workflowId)
      if (!workflow) throw new SyncError('NOT_FOUND')
      put(reloaded(pending, workflow.version, workflow.state))
    }
    const holder = { heir: newId(), get: () => pending, put }
    const isUndecided = () => isWaiting(pending) || hasStrayed(pending)
    if (!isUndecided()) return // all of it waits for the user
    while (isUndecided()) {
      await (isWaiting(pending) ? deliver(request, outbox, workflowId, holder) : reload())
      if (pending.clientId !== clientId) return // found again by and by, and then under the lock of its heir
    }
    onSent(workflowId)
  }

  return {
    send: (orphan) => {
      sending = sending
        .then(() => empty(orphan))
        .catch(() => {}) // found again by and by
        .finally(() => {
          current = ''
          orphan.release()
        })
    },
    sent: (workflowId) => (workflowId === current ? sending : undefined),
  }
}
