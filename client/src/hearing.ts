/** Hearing of others' saves of one workflow. */

import type { Holding } from './holding.js'
import { heard, stale } from './pending.js'
import { together } from './snapshot.js'
import type { Feed, Subscription } from './types.js'
import * as wire from './wire.js'

/** Take in what others save from now on; `onNews` comes after each. Gives what ends it. */
export function hear(
  feed: Feed,
  id: string,
  holding: Holding,
  onNews: () => void,
  end: Subscription<wire.Saved>['end'],
): () => void {
  const { get, put } = holding
  const variables = () => ({ id, sinceVersion: get().version, exceptClient: get().clientId })

  const next = ({ workflowSaved }: wire.Saved) => {
    const { version, savedBy, savedAt, reason, changes, conflicts } = workflowSaved
    const before = get()
    const after = heard(before, { version, changes: changes.map(wire.changeOf) })
    put(reason === 'RESOLVE' ? stale(after) : after, {
      conflicts: together(holding.known.conflicts, conflicts),
      ...(version > before.version && { savedBy, savedAt }),
    })
    onNews()
  }

  return feed.subscribe({ query: wire.NEWS, variables, next, end })
}
