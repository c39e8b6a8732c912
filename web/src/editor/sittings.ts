/** Versions that somebody saved in one go, as one entry of the history. Pure. */

import type { SaveReason, Version } from 'workflow-sync'

/** Newest first. */
export interface Sitting {
  readonly newest: Version
  readonly oldest: Version
  readonly count: number
}

const PAUSE_MS = 300_000 // five minutes away from the work end a sitting
const EDITS: readonly SaveReason[] = ['DEBOUNCED', 'PERIODIC', 'UNLOAD', 'MANUAL']

/** `versions` newest first. A version that has a name, or was more than an edit, is not hidden in a sitting. */
export function sittingsOf(versions: readonly Version[]): readonly Sitting[] {
  const sittings: Sitting[] = []
  for (const version of versions) {
    const last = sittings.at(-1)
    if (last && belongs(version, last.oldest))
      sittings[sittings.length - 1] = { ...last, oldest: version, count: last.count + 1 }
    else sittings.push(eachOf(version))
  }
  return sittings
}

export function eachOf(version: Version): Sitting {
  return { newest: version, oldest: version, count: 1 }
}

function belongs(older: Version, newer: Version): boolean {
  const isNear = Date.parse(newer.savedAt) - Date.parse(older.savedAt) < PAUSE_MS
  const areEdits = EDITS.includes(older.reason) && EDITS.includes(newer.reason)
  return isNear && areEdits && older.label === null && older.savedBy === newer.savedBy
}
