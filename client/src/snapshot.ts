/** What a page shows of a workflow, as one object that is another one only where something changed. Pure. */

import { isUnsynced, problemsOf, type Pending } from './pending.js'
import { statusOf, type Facts } from './status.js'
import type { Steps } from './steps.js'
import type { Conflict, Document, Snapshot } from './types.js'

/** What is known of a workflow besides its document. */
export type Known = Pick<
  Snapshot,
  'kept' | 'isConnected' | 'name' | 'role' | 'savedAt' | 'savedBy' | 'conflicts' | 'error'
> &
  Pick<Facts, 'isSending' | 'hasSaved' | 'obstacle'> & {
    /** Nothing can be done any more: it is gone, or not for this user. */
    readonly isOver: boolean
  }

export const UNKNOWN: Known = {
  kept: 'device',
  isConnected: false,
  name: null,
  role: null,
  savedAt: null,
  savedBy: null,
  conflicts: [],
  error: null,
  isSending: false,
  hasSaved: false,
  obstacle: null,
  isOver: false,
}

/** As soon as the server answered, whatever it said. */
export const REACHED: Partial<Known> = { obstacle: null, error: null }

export function snapshotOf(
  workflowId: string,
  initial: Document,
  pending: Pending | null,
  steps: Steps,
  known: Known,
  before?: Snapshot,
): Snapshot {
  const { isSending, hasSaved, obstacle, isOver, kept, ...rest } = known
  const problems = pending ? problemsOf(pending) : []
  const hasUnsynced = Boolean(pending && isUnsynced(pending))
  const status = statusOf({
    isLoaded: Boolean(pending),
    isUnsynced: hasUnsynced,
    isSending,
    hasSaved,
    hasConflicts: known.conflicts.length > 0,
    isReadOnly: known.role === 'VIEWER',
    obstacle,
    isRefused: isOver || problems.length > 0,
  })
  const now: Snapshot = {
    ...rest,
    workflowId,
    document: pending?.view ?? initial,
    version: pending?.version ?? 0,
    status,
    kept: hasUnsynced ? kept : 'server',
    hasUnsynced,
    problems: before && isSame(problems, before.problems) ? before.problems : problems,
    canUndo: steps.past.length > 0,
    canRedo: steps.future.length > 0,
  }
  return before && isSame(Object.values(now), Object.values(before)) ? before : now
}

/** Conflicts that are open: new ones first. */
export const together = (known: readonly Conflict[], more: readonly Conflict[]): readonly Conflict[] => {
  const added = more.filter(({ id }) => id && !known.some((conflict) => conflict.id === id))
  return added.length ? [...added, ...known] : known
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, place) => value === b[place])
