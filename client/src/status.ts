/**
 * What a page says of itself.
 *
 *     loading --loaded--> idle, or read-only for a viewer
 *                          |
 *                        edited                          refused, or gone ----> error
 *                          v                             (before anything else)
 *         +------------> dirty <---------+
 *         |                | sent        | edited
 *       edited             v             |
 *         |              saving ---------+               unanswered ---> offline
 *         |                | answered                    signed out ---> needs-auth
 *         |                v                             until something is answered again
 *         +------------- saved, or conflict while there is one
 *
 * Nothing is said to be saved before the server said so.
 */

import type { Status } from './types.js'

export interface Facts {
  readonly isLoaded: boolean
  /** Some edit is not on the server, as far as is known. */
  readonly isUnsynced: boolean
  readonly isSending: boolean
  /** This page saved something. */
  readonly hasSaved: boolean
  readonly hasConflicts: boolean
  readonly isReadOnly: boolean
  /** Why the server was not reached the last time. */
  readonly obstacle: 'offline' | 'needs-auth' | null
  /** Something was refused, or nothing can be done at all. */
  readonly isRefused: boolean
}

export const statusOf = (facts: Facts): Status => {
  if (facts.isRefused) return 'error'
  if (facts.obstacle) return facts.obstacle
  if (!facts.isLoaded) return 'loading'
  if (facts.isUnsynced) return facts.isSending ? 'saving' : 'dirty'
  if (facts.hasConflicts) return 'conflict'
  if (facts.isReadOnly) return 'read-only'
  return facts.hasSaved ? 'saved' : 'idle'
}
