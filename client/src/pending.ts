/**
 * What a page holds of a workflow: what the server confirmed and, on top of it, everything of its own. Pure.
 *
 *     confirmed ---- layer ---- layer ---- layer ----> view
 *     at `version`   sent       closed     refused     `open`: the edits since the last layer
 *
 * An edit is sent on the version that its author saw. Where others' changes touch what it touches, it keeps that
 * version for good (is pinned), or the server would believe that it was meant to overwrite them.
 */

import { attempt } from './attempt.js'
import { apply, collide, diff, fitting, isClock, overlap } from './document.js'
import type { Segment } from './outbox.js'
import type { Change, Conflict, Document, Merge, Problem, SaveReason, SyncStatus } from './types.js'

const OLD_MS = 600_000 // whoever left an edit for ten minutes has not seen what others made of the workflow since
const TAKEN: readonly SyncStatus[] = ['CREATED', 'SAVED', 'MERGED', 'UNCHANGED']

/** One save, to come or under way. */
export interface Layer {
  readonly segment: Segment
  /** What is shown with it and everything below. */
  readonly after: Document
  /** That the server has below it what is below it here, so that its answer leads from here to there. */
  readonly isFirm: boolean
  /** That it was sent more than once, so that it may have been decided before. */
  readonly isRetry: boolean
}

/** A save of somebody else. */
export interface News {
  readonly version: number
  readonly changes: readonly Change[]
}

export interface Answer extends News {
  readonly status: SyncStatus
  readonly savedAt: string | null
  readonly lastSequence: number | null
  readonly conflicts: readonly Conflict[]
  readonly problems: readonly Problem[]
}

export interface Pending {
  readonly clientId: string
  /** Of the server; 0: it has no such workflow. */
  readonly version: number
  readonly confirmed: Document
  /** What is below the layers: what is confirmed and, while that is stale, what was saved since. */
  readonly floor: Document
  /** That the server has something else by now, which is to be read. */
  readonly isStale: boolean
  readonly layers: readonly Layer[]
  readonly open: readonly Change[]
  readonly view: Document
  /** When the newest open edit was made, in milliseconds since 1970. */
  readonly at: number
  readonly allowEmpty: boolean
  /** The last sequence that was used. */
  readonly last: number
  /** What was heard while an answer was awaited. */
  readonly queue: readonly News[]
  readonly name?: string | undefined
  readonly merge?: Merge | undefined
}

export type Start = Pick<Pending, 'clientId' | 'version' | 'confirmed' | 'last'> &
  Partial<Pick<Pending, 'view' | 'isStale' | 'name' | 'merge'>>

/** Begin with what the server has; `view` is what a workflow begins with that does not exist yet. */
export const begin = (start: Start): Pending => ({
  floor: start.confirmed,
  view: start.confirmed,
  isStale: false,
  layers: [],
  open: [],
  at: 0,
  allowEmpty: false,
  queue: [],
  ...start,
})

/** Put on top what an outbox kept. */
export const loaded = (pending: Pending, segments: readonly Segment[]): Pending => {
  let view = pending.floor
  const layers = segments.map((segment): Layer => {
    view = fitting(view, changesOf(segment))
    const isFirm = segment.base === pending.version && !pending.isStale
    return { segment, after: view, isFirm, isRetry: false }
  })
  const next = layers.find(isClosed)?.segment.sequence ?? 1 + Math.max(0, ...segments.map(({ sequence }) => sequence))
  if (!layers.length) return pending
  const kept = { ...pending, layers, view, last: Math.max(pending.last, next - 1) }
  return hasStrayed(kept) ? stale(kept) : kept
}

const changesOf = ({ changes, state }: Segment): readonly Change[] => changes ?? diff({}, state ?? {})

const isClosed = ({ segment }: Layer): boolean => !segment.sent && !segment.refused

const isUnanswered = ({ segment }: Layer): boolean => segment.sent

/** Whether a closed save is still to be sent or answered. */
export const isWaiting = (pending: Pending): boolean => pending.layers.some(({ segment }) => !segment.refused)

export const isUnsynced = (pending: Pending): boolean => pending.layers.length + pending.open.length > 0

export const problemsOf = (pending: Pending): readonly Problem[] =>
  pending.layers.flatMap((layer) => (isAstray(layer) ? [] : (layer.segment.refused ?? [])))

/**
 * Refused, as its paths lead nowhere in what the server had below it: what a save of before had added, a merge may have
 * taken out again. It is made anew on what stands, once that was read.
 */
const isAstray = ({ segment }: Layer): boolean => segment.refused?.every(({ code }) => code === 'PATH') ?? false

/** Whether something waits for `reloaded`, to be made anew on that. */
export const hasStrayed = (pending: Pending): boolean => pending.layers.some(isAstray)

/** Show another document. */
export const edited = (pending: Pending, view: Document, at: number, allowEmpty = false): Pending => {
  const changes = diff(pending.layers.at(-1)?.after ?? pending.floor, view)
  const open = changes.every(({ path }) => isClock(path)) ? [] : changes
  return { ...pending, view, open, at, allowEmpty: open.length > 0 && (allowEmpty || pending.allowEmpty) }
}

/** Make a save of the open edits; `now`: also of the unedited document that a workflow begins with. */
export const closed = (pending: Pending, reason: SaveReason = 'DEBOUNCED', now = 0): Pending => {
  const { clientId, version, open, view, at, allowEmpty, name } = pending
  const isCreation = version === 0 && !isWaiting(pending)
  if (!open.length && !(isCreation && now && !pending.layers.length)) return pending
  const segment: Segment = {
    clientId,
    sequence: 0,
    base: version,
    changes: isCreation ? null : open,
    state: isCreation ? view : null,
    ...(isCreation && name && { name }),
    at: at || now,
    sent: false,
    allowEmpty,
    reason,
  }
  const layer = { segment, after: view, isFirm: !pending.isStale, isRetry: false }
  return { ...pending, layers: [...pending.layers, layer], open: [], allowEmpty: false }
}

/** Whether something was never sent. */
export const isUnsent = (pending: Pending): boolean => pending.open.length > 0 || pending.layers.some(isClosed)

/** What the outbox keeps: every save, those to come under the sequence that they would be sent with. */
export const segmentsOf = (pending: Pending): readonly Segment[] => {
  let { last } = pending
  return closed(pending, 'UNLOAD').layers.map(({ segment }) => ({
    ...segment,
    sequence: segment.sent ? segment.sequence : segment.refused ? last || 1 : ++last,
  }))
}

/** The saves that are under way, in their order. */
export const sentOf = (pending: Pending): readonly Segment[] =>
  pending.layers.map(({ segment }) => segment).filter(({ sent }) => sent)

/** Mark as sent the next save, or `all`. What was sent before is never another one. */
export const posted = (pending: Pending, now: number, all = false): Pending => {
  let { last } = pending
  const next = pending.layers.find(isUnanswered) ?? pending.layers.find(isClosed)
  const layers = pending.layers.map((layer): Layer => {
    const { segment } = layer
    if (segment.refused || !(all || layer === next)) return layer
    if (segment.sent) return { ...layer, isRetry: true }
    const mode = now - segment.at > OLD_MS ? 'STRICT' : 'MERGE'
    return { ...layer, segment: { mode, ...segment, sequence: ++last, sent: true } }
  })
  return { ...pending, layers, last }
}

/** What is held once everything was sent at once, as the page is left. */
export const departing = (pending: Pending): Pending => posted(closed(pending, 'UNLOAD'), Date.now(), true)

/** Whether the server has a save, as a version or because it has the same already. */
export const isTaken = (status: SyncStatus): boolean => TAKEN.includes(status)

/** Take the answer to a save; one that was taken before is ignored. */
export const answered = (pending: Pending, sequence: number, answer: Answer): Pending => {
  const layer = sentAs(pending, sequence)
  if (!layer) return pending
  const { status, problems } = answer
  const last = answer.lastSequence ?? sequence - 1 // without one it was not even decided
  if (status === 'REJECTED') {
    return problems[0]?.code === 'SKIPPED'
      ? unsent(pending, sequence)
      : refused(last < sequence ? unsent(pending, sequence) : pending, pending.layers.indexOf(layer), problems)
  }
  if (status === 'OUT_OF_ORDER' && (last < sequence || !layer.isRetry)) return unsent(pending, sequence, last)
  return drained(exactly(pending, layer, answer) ?? passed(pending, layer))
}

/** A save that the server did not even decide, and why. */
export const failed = (pending: Pending, sequence: number, code: string, message: string): Pending => {
  const layer = sentAs(pending, sequence)
  if (!layer) return pending
  const place = pending.layers.indexOf(layer)
  const undone = unsent(pending, sequence)
  const segment = { ...layer.segment, sent: false }
  const { changes, mode } = segment
  if (code === 'BAD_USER_INPUT' && mode === 'STRICT' && !layer.isRetry) {
    const merged: Segment = { ...segment, mode: 'MERGE' } // the browser may have sent it so when the page died
    return replaced(undone, place, { ...layer, segment: merged })
  }
  if (code === 'TOO_LARGE' && changes && changes.length > 1) {
    const half = changes.slice(0, changes.length / 2)
    return parted(
      undone,
      place,
      layer,
      { ...segment, changes: half },
      { ...segment, changes: changes.slice(half.length) },
    )
  }
  return refused(undone, place, [{ path: [], code, message }])
}

/** Keep what the server does not take, the edits that problems name or all, until the user decides; send the rest. */
const refused = (pending: Pending, place: number, problems: readonly Problem[]): Pending => {
  const layer = pending.layers[place]
  if (!layer) return pending
  const segment = { ...layer.segment, sent: false }
  const isNamed = (change: Change) =>
    problems.some(
      ({ code, path }) => overlap(path, change.path) && (code !== 'PATH' || path.length === change.path.length),
    )
  const named = segment.changes?.filter(isNamed) ?? []
  const rest = segment.changes?.filter((change) => !named.includes(change)) ?? []
  const whole = { ...layer, segment: { ...segment, refused: problems } }
  const next = isAstray(whole) ? stale(pending) : pending
  if (!named.length || !rest.length) return drained(replaced(next, place, whole))
  return parted(next, place, layer, { ...whole.segment, changes: named }, { ...segment, changes: rest })
}

/** Make two saves of one. */
const parted = (pending: Pending, place: number, layer: Layer, first: Segment, second: Segment): Pending => {
  const after = fitting(pending.layers[place - 1]?.after ?? pending.floor, changesOf(first))
  return replaced(pending, place, { ...layer, segment: first, after }, { ...layer, segment: second })
}

/** Go on as another client, to whom the saves of the one before are somebody else's: none is overwritten unseen. */
export const inherited = (pending: Pending, clientId: string): Pending => ({
  ...pending,
  clientId,
  last: 0,
  layers: pending.layers.map((layer) => {
    const segment = { ...layer.segment, clientId, sent: false }
    return { ...layer, isFirm: false, isRetry: false, segment }
  }),
})

/** Try again what was refused; the user, who was asked, may well mean to empty the workflow. */
export const retried = (pending: Pending): Pending => ({
  ...pending,
  layers: pending.layers.map((layer) => {
    const { refused: problems, ...segment } = layer.segment
    if (!problems) return layer
    const allowEmpty = segment.allowEmpty || problems.some(({ code }) => code === 'EMPTY')
    return { ...layer, isRetry: false, segment: { ...segment, allowEmpty } }
  }),
})

/** Let go of what was refused. */
export const discarded = (pending: Pending): Pending => {
  const layer = pending.layers.find(({ segment }) => segment.refused)
  const { version, floor: ground } = pending
  return layer ? discarded(moved(pending, { version, ground, theirs: [], isAlone: true, done: layer })) : pending
}

const replaced = (pending: Pending, place: number, ...layers: readonly Layer[]): Pending => ({
  ...pending,
  layers: [...pending.layers.slice(0, place), ...layers, ...pending.layers.slice(place + 1)],
})

/** Nothing from a sequence on was decided: it is sent again with those that follow on the `last` one. */
const unsent = (pending: Pending, sequence: number, last = sequence - 1): Pending => ({
  ...pending,
  last,
  layers: pending.layers.map((layer) =>
    layer.segment.sequence >= sequence && layer.segment.sent
      ? { ...layer, isRetry: false, segment: { ...layer.segment, sent: false } }
      : layer,
  ),
})

const sentAs = (pending: Pending, sequence: number): Layer | undefined =>
  pending.layers.find((layer) => isUnanswered(layer) && layer.segment.sequence === sequence)

/** The server has the save, and this leads to what it has; undefined where that cannot be told. */
const exactly = (pending: Pending, layer: Layer, { status, version, changes }: Answer): Pending | undefined => {
  const isFirst = pending.layers.find(isUnanswered) === layer
  if (!isFirst || !layer.isFirm || !isTaken(status)) return undefined
  const own = tried(pending.confirmed, changesOf(layer.segment))
  const held = own && diff(own, layer.after).length ? own : layer.after // the same object where nothing is refused
  const confirmed = own && tried(held, changes)
  const isAlone = !changes.length && version === pending.version + (status === 'UNCHANGED' ? 0 : 1)
  const move = { version, theirs: changes, isAlone, done: layer }
  return confirmed && moved({ ...pending, confirmed }, { ...move, ground: confirmed })
}

/** The server has the save, or keeps it as a conflict; what it has by now is to be read. */
const passed = (pending: Pending, layer: Layer): Pending => {
  const ground = fitting(pending.floor, changesOf(layer.segment))
  return moved({ ...pending, isStale: true }, { version: pending.version, ground, theirs: [], done: layer })
}

const tried = (document: Document, changes: readonly Change[]): Document | undefined =>
  attempt(() => apply(document, changes))

/** Hear of the next save of somebody else. */
export const heard = (pending: Pending, news: News): Pending =>
  news.version > (pending.queue.at(-1)?.version ?? pending.version)
    ? drained({ ...pending, queue: [...pending.queue, news] })
    : pending

const drained = (pending: Pending): Pending => {
  const [news, ...queue] = pending.queue
  if (!news || pending.isStale || pending.layers.some(isUnanswered)) return pending
  if (news.version <= pending.version) return drained({ ...pending, queue })
  const { version, changes: theirs } = news
  const confirmed = version === pending.version + 1 && tried(pending.confirmed, theirs)
  if (!confirmed) return { ...pending, isStale: true }
  return drained(moved({ ...pending, confirmed, queue }, { version, ground: confirmed, theirs }))
}

/** Take what was read of the server. */
export const reloaded = (pending: Pending, version: number, confirmed: Document): Pending => {
  const theirs = diff(pending.floor, confirmed)
  const ground = apply(pending.floor, theirs) // shares what stayed the same
  const queue = pending.queue.filter((news) => news.version > version)
  return drained(moved({ ...pending, confirmed: ground, isStale: false, queue }, { version, ground, theirs }))
}

export const stale = (pending: Pending): Pending => ({ ...pending, isStale: true })

/** Other ground for everything of one's own. */
interface Move {
  readonly version: number
  readonly ground: Document
  /** What others did on the way there. */
  readonly theirs: readonly Change[]
  /** That nobody else had any part in it. */
  readonly isAlone?: boolean
  /** What is part of the ground now, or no more to be shown. */
  readonly done?: Layer
}

const moved = (pending: Pending, move: Move): Pending => {
  const layers: Layer[] = []
  let below = pending.floor
  let view = move.ground
  for (const layer of closed(pending).layers) {
    if (layer !== move.done) {
      const lifted = lift(pending, move, layer, below, view)
      if (changesOf(lifted.segment).length || lifted.segment.state) layers.push(lifted)
      view = lifted.after
    }
    below = layer.after
  }
  const { at, allowEmpty, open } = pending
  const ahead = { ...pending, version: move.version, floor: move.ground, layers, open: [], view, allowEmpty: false }
  const isOpen = open.length > 0 && layers.at(-1)?.segment.base === move.version
  return isOpen ? edited({ ...ahead, layers: layers.slice(0, -1) }, view, at, allowEmpty) : ahead
}

/** Put a layer on what is below it `now`. */
const lift = (pending: Pending, move: Move, layer: Layer, below: Document, now: Document): Layer => {
  const { version, isStale, merge } = pending
  const { segment } = layer
  const changes = changesOf(segment)
  const plain = below === now ? layer.after : fitting(now, changes)
  const after = merge && below !== now ? merge(below, layer.after, now) : plain
  if (segment.sent) return { ...layer, after, isFirm: layer.isFirm && Boolean(move.isAlone) }
  if (isAstray(layer) && !isStale) return anew(segment, after, now, move)
  const meets =
    collide(
      changes.filter(({ path }) => !isClock(path)),
      move.theirs,
    ) || diff(plain, after).length > 0
  return meets || segment.state || segment.base !== version
    ? { ...layer, after, isFirm: layer.isFirm && below === now && move.version === version && !isStale }
    : { ...layer, after, isFirm: !isStale, segment: { ...segment, base: move.version } }
}

/** Make an edit again, on what is there now; one of something that is gone, or that the server never took, waits. */
const anew = (
  { refused: _, ...segment }: Segment,
  after: Document,
  now: Document,
  { version, ground }: Move,
): Layer => {
  const changes = diff(now, after)
  const isLost = (change: Change) => 'value' in change && !(tried(after, [change]) && tried(ground, changes))
  const lost = segment.changes?.filter(isLost) ?? []
  const gone = lost.map(({ path }): Problem => ({ path, code: 'GONE', message: 'What this was part of is gone.' }))
  const part = lost.length ? { refused: gone } : { changes, base: version }
  return { segment: { ...segment, ...part }, after, isFirm: !lost.length, isRetry: false }
}
