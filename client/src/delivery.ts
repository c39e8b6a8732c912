/** Sending what is pending: one save after the other, each until it is decided. */

import type { Segment } from './outbox.js'
import { answered, failed, posted, sentOf, type Answer, type Pending } from './pending.js'
import { isPassing, SyncError, type Request } from './request.js'
import * as wire from './wire.js'

export interface Holder {
  readonly get: () => Pending
  /** `answer`: what led there. */
  readonly put: (pending: Pending, answer?: Answer) => void
  /** Go on as another client than a dead tab; false where that has happened already. */
  readonly inherit: () => boolean
}

/** Send the next save; false where it was refused. Throws SyncError where it is worth to try it again later. */
export async function deliver(request: Request, id: string, { get, put, inherit }: Holder): Promise<boolean> {
  const isRetry = sentOf(get()).length > 0
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
