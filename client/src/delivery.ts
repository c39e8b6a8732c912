/** Sending what is pending: one save after the other, each until it is decided. */

import type { Outbox, Segment } from './outbox.js'
import { answered, failed, inherited, posted, sentOf, type Answer, type Pending } from './pending.js'
import { isPassing, SyncError, type Request } from './request.js'
import * as wire from './wire.js'

export interface Holder {
  /** The client to go on as, where a dead one turns out to have sent something else than its outbox tells. */
  readonly heir: string
  readonly get: () => Pending
  /** `answer`: what led there. */
  readonly put: (pending: Pending, answer?: Answer) => void
}

/** Send the next save; false where it was refused. Throws SyncError where it is worth to try it again later. */
export async function deliver(request: Request, outbox: Outbox, id: string, holder: Holder): Promise<boolean> {
  const { heir, get, put } = holder
  const isRetry = sentOf(get()).length > 0

  /** False where that has happened already. */
  const inherit = () => {
    const { clientId } = get()
    if (clientId === heir) return false
    put(inherited(get(), heir))
    outbox.remove(clientId, id)
    return true
  }

  put(posted(get(), Date.now()))
  const [segment] = sentOf(get())
  if (!segment) return true
  try {
    const answer = await wire.save(request, id, segment)
    if (isRetry || !isUsed(segment, answer) || !inherit()) put(answered(get(), segment.sequence, answer), answer)
    return true
  } catch (error) {
    if (!(error instanceof SyncError) || isPassing(error) || error.code === 'UNAUTHENTICATED') throw error
    const isPerhapsUsed = error.code === 'BAD_USER_INPUT' && (isRetry || segment.mode !== 'STRICT')
    if (isPerhapsUsed && inherit()) return true
    put(failed(get(), segment.sequence, error.code, error.message))
    return false
  }
}

/**
 * Whether the server has another save under its sequence: a tab that died may have sent more, or else, than its outbox
 * tells, as what it wrote last is lost with the computer.
 */
const isUsed = ({ sequence }: Segment, { status, lastSequence }: Answer): boolean =>
  status === 'OUT_OF_ORDER' && (lastSequence ?? 0) >= sequence
