/** Undo and redo of one's own edits, on top of whatever others have made of the document since. Pure. */

import { diff, fitting } from './document.js'
import type { Change, Document } from './types.js'

const MOST_STEPS = 100 // nobody goes back further by hand; beyond that there is the history

interface Step {
  readonly name: string | undefined
  /** What takes it back, or does it again. */
  readonly changes: readonly Change[]
}

export interface Steps {
  readonly past: readonly Step[]
  readonly future: readonly Step[]
}

export const NO_STEPS: Steps = { past: [], future: [] }

/** Note an edit; it joins the one before where both are of one named step. */
export const noted = (steps: Steps, before: Document, after: Document, name?: string): Steps => {
  const { past, future } = steps
  const last = past.at(-1)
  const changes = diff(after, before)
  if (!changes.length) return steps
  if (name === undefined || last?.name !== name || future.length) {
    return { past: [...past.slice(1 - MOST_STEPS), { name, changes }], future: [] }
  }
  return { past: [...past.slice(0, -1), { name, changes: joined(changes, last.changes) }], future: [] }
}

/** What an earlier change sets anyway need not be set on the way there. */
const joined = (later: readonly Change[], earlier: readonly Change[]): readonly Change[] => {
  const paths = new Set(earlier.map(({ path }) => JSON.stringify(path)))
  return [...later.filter(({ path }) => !paths.has(JSON.stringify(path))), ...earlier]
}

export interface Turn {
  readonly steps: Steps
  readonly view: Document
}

/** Take the newest step back, as far as it still fits. */
export const undone = (steps: Steps, view: Document): Turn => {
  const turn = turned(steps.past, steps.future, view)
  return { view: turn.view, steps: { past: turn.from, future: turn.to } }
}

/** Do again what was taken back last. */
export const redone = (steps: Steps, view: Document): Turn => {
  const turn = turned(steps.future, steps.past, view)
  return { view: turn.view, steps: { past: turn.to, future: turn.from } }
}

const turned = (from: readonly Step[], to: readonly Step[], before: Document) => {
  const step = from.at(-1)
  if (!step) return { from, to, view: before }
  const view = fitting(before, step.changes)
  return { from: from.slice(0, -1), to: [...to, { ...step, changes: diff(view, before) }], view }
}
