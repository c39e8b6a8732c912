/** The farewell of a page: what is unsaved goes out while the page is left, by whatever way still takes it. */

import type { Request } from './request.ts'

/** One operation, and the same as a body of the REST route where it is a single save. */
export interface Letter {
  readonly query: string
  readonly variables: object
  readonly save?: object
}

export interface Handlers {
  /** The page is hidden, frozen, left or about to be asked: send what is unsaved, now. May come several times. */
  readonly leave: () => void
  /** It is left, perhaps to come back (bfcache): let locks and sockets go. */
  readonly pause: () => void
  /** It came back from the bfcache. */
  readonly resume: () => void
  /** It is visible again, or no longer frozen. */
  readonly look: () => void
}

export interface Farewell {
  /** Whether the browser asks before the page is closed. */
  readonly prompt: (isUnsaved: boolean) => void
  /**
   * Make ready what would have to be sent if the page were left, or died, now: after every write of the outbox, in the
   * same task, so that both hold the same. Replaces what was ready before; null takes it back, before a save is sent.
   */
  readonly prepare: (letter: Letter | null) => void
  /** Send it, by the first way that takes it. Null where no answer can come (a beacon). Throws SyncError. */
  readonly sendLast: <Data>(letter: Letter) => Promise<Data | null>
  readonly close: () => void
}

export declare function createFarewell(endpoint: string, request: Request, handlers: Handlers): Farewell
