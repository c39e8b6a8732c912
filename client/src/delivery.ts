/** Sending what is pending: one save after the other, each until it is decided. */

import { answered, failed, posted, sentOf, type Answer, type Pending } from './pending.js'
import { isPassing, SyncError, type Request } from './request.js'
import * as wire from './wire.js'

export interface Holder {
  readonly get: () => Pending
  /** `answer`: what led there. */
  readonly put: (pending: Pending, answer?: Answer) => void
}

/** Send the next save; false where it was refused. Throws SyncError where it is worth to try it again later. */
export async function deliver(request: Request, id: string, { get, put }: Holder): Promise<boolean> {
  put(posted(get(), Date.now()))
  const [segment] = sentOf(get())
  if (!segment) return true
  try {
    const answer = await wire.save(request, id, segment)
    put(answered(get(), segment.sequence, answer), answer)
    return true
  } catch (error) {
    if (!(error instanceof SyncError) || isPassing(error) || error.code === 'UNAUTHENTICATED') throw error
    put(failed(get(), segment.sequence, error.code, error.message))
    return false
  }
}
