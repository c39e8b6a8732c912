/** For pages that show no workflow, such as a list: what tabs left there that are gone is saved from these, too. */

import { PERIODIC_MS } from './debounce.js'
import { createFarewell } from './farewell.js'
import { createLeftovers } from './leftovers.js'
import { createOutbox, type Box } from './outbox.js'
import { createRequest } from './request.js'
import { createTabs } from './tabs.js'
import type { Connection, Options } from './types.js'
import * as wire from './wire.js'

export interface LeftoversOptions extends Connection, Pick<Options, 'storage' | 'periodicMs'> {
  /** Told the id of each workflow once everything that one tab left of it was decided. */
  readonly onSent?: (workflowId: string) => void
}

/** Send what closed and crashed tabs of this user left unsaved, now and from now on. Returns what ends it. */
export function sendLeftovers(options: LeftoversOptions): () => void {
  const { endpoint, storage, periodicMs = PERIODIC_MS, onSent = () => {} } = options
  const request = createRequest(options)
  const outbox = createOutbox(storage, () => {})
  const leftovers = createLeftovers(request, outbox, onSent)
  let user: string | null = null

  const isOurs = (box: Box) => box.user === user && box.endpoint === endpoint
  const tabs = createTabs({ outbox, isOurs, onOrphan: leftovers.send })

  const look = async () => {
    if (user && !(await outbox.list()).length) return
    user = await wire.viewer(request)
    await tabs.look()
  }
  const lookAgain = () => void look().catch(() => {}) // by and by
  const resume = async () => {
    if (!(await tabs.resume())) tabs.renew()
    lookAgain()
  }

  const farewell = createFarewell(endpoint, request, { leave: () => {}, pause: tabs.pause, resume, look: lookAgain })
  const ticking = setInterval(lookAgain, periodicMs)
  globalThis.addEventListener?.('online', lookAgain)
  lookAgain()
  return () => {
    clearInterval(ticking)
    globalThis.removeEventListener?.('online', lookAgain)
    farewell.close()
    tabs.close()
  }
}
