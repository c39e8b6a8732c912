/** What the server will make of two edits of one document, by the same rules. */

import type { Document, Merge } from '../types.js'
import { type Repair, repair } from './repair.js'
import { withEdges } from './revival.js'
import { type Collision, mergeDocuments } from './three-way.js'

export type { Collision } from './three-way.js'
export type { Reason, Repair } from './repair.js'

export interface Merged {
  readonly document: Document
  readonly conflicts: readonly Collision[]
  readonly repairs: readonly Repair[]
}

/**
 * Merges yours, the later one, into theirs, and mends the graph of the result, which shares with the documents what it
 * can. `between` are the documents that led from the base to theirs: they tell what went together.
 */
export const merge = (base: Document, yours: Document, theirs: Document, between: readonly Document[] = []): Merged => {
  const past = [base, ...between, theirs]
  const { document: merged, collisions: conflicts } = mergeDocuments(base, yours, theirs, past)
  const revived = withEdges({ base, yours, theirs, merged }, conflicts, past)
  return { ...repair(revived, yours, theirs), conflicts }
}

/** What to show of one's own unsaved edits on top of others' saves. */
export const threeWay: Merge = (base, yours, theirs) => merge(base, yours, theirs).document
