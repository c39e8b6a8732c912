import { describe, expect, test } from 'vitest'
import { threeWay } from '../src/merge/index.js'
import {
  answered,
  begin,
  closed,
  discarded,
  edited,
  failed,
  heard,
  isUnsynced,
  isWaiting,
  loaded,
  posted,
  problemsOf,
  reloaded,
  retried,
  segmentsOf,
  sentOf,
  stale,
  type Answer,
  type Pending,
} from '../src/pending.js'
import type { Change, Document, Merge, Problem } from '../src/types.js'

const NOW = 1_000_000
const MINUTE_MS = 60_000

const at = (a: number, b = 0): Document => ({ blocks: { a: { x: a }, b: { x: b } } })
const x = (block: string, value: number): Change => ({ path: ['blocks', block, 'x'], value })

const opened = (version = 1, confirmed = at(0), merge?: Merge): Pending =>
  begin({ clientId: 'me', version, confirmed, last: 0, merge })

const made = (pending: Pending, view: Document) => edited(pending, view, NOW)

/** Edited, closed and sent. */
const saving = (pending: Pending, view: Document) => posted(closed(made(pending, view)), NOW)

const answer = (version: number, more: Partial<Answer> = {}): Answer => ({
  status: 'SAVED',
  version,
  savedAt: null,
  lastSequence: version,
  changes: [],
  conflicts: [],
  problems: [],
  ...more,
})

const problem = (code: string, ...path: string[]): Problem => ({ code, path, message: code })

const rejection = (sequence: number, ...problems: Problem[]): Answer =>
  answer(1, { status: 'REJECTED', lastSequence: sequence, problems })

describe('editing', () => {
  test('what is unsaved is what differs from what is below', () => {
    const pending = made(made(opened(), at(1)), at(2))
    expect(pending.open).toEqual([x('a', 2)])
    expect(isUnsynced(made(pending, at(0)))).toBe(false)
  })

  test('an edit during a save is held apart from it', () => {
    const pending = made(saving(opened(), at(1)), at(1, 5))
    expect(pending.open).toEqual([x('b', 5)])
    expect(sentOf(pending).map(({ changes }) => changes)).toEqual([[x('a', 1)]])
  })

  test('what was sent stays as it was, however often it is sent', () => {
    const first = saving(opened(), at(1))
    const again = posted(closed(made(first, at(2)), 'UNLOAD'), NOW + MINUTE_MS)
    expect(sentOf(again)).toEqual(sentOf(first))
  })

  test('that a workflow may be emptied is said of the save in which it is', () => {
    const pending = closed(edited(opened(), { blocks: {} }, NOW, true))
    expect(segmentsOf(made(pending, at(1))).map(({ allowEmpty }) => allowEmpty)).toEqual([true, false])
  })
})

describe('answers', () => {
  test('lead from what was held to what the server has', () => {
    const merged = answer(3, { status: 'MERGED', changes: [x('a', 9)] })
    const pending = answered(made(saving(opened(), at(1)), at(1, 5)), 1, merged)
    expect(pending).toMatchObject({ version: 3, confirmed: at(9), view: at(9, 5), open: [x('b', 5)], isStale: false })
  })

  test('are taken once', () => {
    const once = answered(saving(opened(), at(1)), 1, answer(2))
    expect(answered(once, 1, answer(2))).toBe(once)
    expect(answered(once, 7, answer(2))).toBe(once)
  })

  test('to saves that were sent together are taken one by one', () => {
    const both = posted(closed(made(saving(opened(), at(1)), at(1, 5))), NOW, true)
    expect(sentOf(both).map(({ sequence, base }) => [sequence, base])).toEqual([
      [1, 1],
      [2, 1],
    ])
    const pending = answered(answered(both, 1, answer(2)), 2, answer(3))
    expect(pending).toMatchObject({ version: 3, confirmed: at(1, 5), isStale: false })
  })

  test('to a save behind one that met others do not tell what the server has', () => {
    const both = posted(closed(made(saving(opened(), at(1)), at(1, 5))), NOW, true)
    const first = answered(both, 1, answer(3, { status: 'MERGED', changes: [x('b', 9)] }))
    const second = answered(first, 2, answer(4, { status: 'MERGED' }))
    expect(second).toMatchObject({ version: 3, isStale: true, view: at(1, 5) })
    expect(isUnsynced(second)).toBe(false)
  })

  test('that come before the one of an earlier save do not tell what the server has either', () => {
    const both = posted(closed(made(saving(opened(), at(1)), at(1, 5))), NOW, true)
    const pending = answered(answered(both, 2, answer(3)), 1, answer(2))
    expect(pending).toMatchObject({ version: 1, confirmed: at(0), view: at(1, 5), layers: [], isStale: true })
  })

  test.each(['CONFLICT', 'RESYNC'] as const)('%s: the server keeps it, and what stands is read', (status) => {
    const pending = answered(saving(opened(), at(1)), 1, answer(5, { status }))
    expect(pending).toMatchObject({ isStale: true, layers: [], version: 1, confirmed: at(0) })
    expect(reloaded(pending, 5, at(7))).toMatchObject({ isStale: false, version: 5, view: at(7) })
  })

  test('that do not fit make it read what stands', () => {
    const odd = answer(2, { changes: [{ path: ['gone', 'x'], remove: true }] })
    const pending = answered(saving(opened(), at(1)), 1, odd)
    expect(pending).toMatchObject({ isStale: true, version: 1, view: at(1) })
  })

  test('OUT_OF_ORDER: a save is sent as the next one', () => {
    const pending = answered(saving(opened(), at(1)), 1, answer(1, { status: 'OUT_OF_ORDER', lastSequence: 6 }))
    expect(sentOf(posted(pending, NOW))).toMatchObject([{ sequence: 7, changes: [x('a', 1)] }])
  })

  test('OUT_OF_ORDER: a save that was sent before was decided long ago', () => {
    const again = posted(saving(opened(), at(1)), NOW)
    const pending = answered(again, 1, answer(30, { status: 'OUT_OF_ORDER', lastSequence: 20 }))
    expect(pending).toMatchObject({ layers: [], isStale: true })
  })
})

describe('others', () => {
  test('move what does not touch theirs to their version', () => {
    const pending = heard(made(opened(), at(1)), { version: 2, changes: [x('b', 9)] })
    expect(pending).toMatchObject({ version: 2, confirmed: at(0, 9), view: at(1, 9), open: [x('a', 1)] })
    expect(segmentsOf(pending)).toMatchObject([{ base: 2 }])
  })

  test('pin what touches theirs to the version that its author saw', () => {
    const pending = heard(made(opened(), at(1)), { version: 2, changes: [x('a', 9)] })
    expect(pending).toMatchObject({ version: 2, confirmed: at(9), view: at(1), open: [] })
    const later = made(pending, at(1, 5))
    expect(segmentsOf(later)).toMatchObject([
      { base: 1, changes: [x('a', 1)] },
      { base: 2, changes: [x('b', 5)] },
    ])
    const on = heard(later, { version: 3, changes: [{ path: ['name'], value: 'N' }] })
    expect(segmentsOf(on)).toMatchObject([{ base: 1 }, { base: 3 }])
  })

  test('wait while an answer is awaited, and are taken where they are not in it', () => {
    const first = heard(saving(opened(), at(1)), { version: 2, changes: [x('b', 8)] })
    const waiting = heard(first, { version: 4, changes: [x('b', 9)] })
    expect(waiting.version).toBe(1)
    const pending = answered(waiting, 1, answer(3, { status: 'MERGED', changes: [x('b', 8)] }))
    expect(pending).toMatchObject({ version: 4, confirmed: at(1, 9), queue: [] })
  })

  test('that are heard twice are taken once', () => {
    const once = heard(opened(), { version: 2, changes: [x('a', 9)] })
    expect(heard(once, { version: 2, changes: [x('a', 9)] })).toBe(once)
  })

  test('with a gap before them make it read what stands, and no more is taken until then', () => {
    const gap = heard(heard(opened(), { version: 3, changes: [x('a', 9)] }), { version: 4, changes: [x('b', 9)] })
    expect(gap).toMatchObject({ isStale: true, version: 1 })
    expect(reloaded(gap, 3, at(9))).toMatchObject({ isStale: false, version: 4, confirmed: at(9, 9), queue: [] })
  })

  test('never collide over the clock', () => {
    const own = made(opened(), { ...at(1), lastSaved: 5 })
    expect(heard(own, { version: 2, changes: [{ path: ['lastSaved'], value: 9 }] }).open).toHaveLength(2)
  })

  test('are merged with as the server will, where that is known', () => {
    const document = { blocks: { a: {}, b: {} }, edges: [] }
    const edge = { id: 'e', source: 'a', target: 'b' }
    const own = made(opened(1, document, threeWay), { ...document, edges: [edge] })
    const pending = heard(own, { version: 2, changes: [{ path: ['blocks', 'b'], remove: true }] })
    expect(pending.view).toEqual({ blocks: { a: {} }, edges: [] })
    expect(segmentsOf(pending)).toMatchObject([{ base: 1, changes: [{ path: ['edges', 'e'], value: edge }] }])
  })

  test('leave alone what stayed the same, also when everything is read again', () => {
    const pending = reloaded(stale(made(opened(), at(1))), 2, at(0, 7))
    expect(pending.view).toEqual(at(1, 7))
    const before = opened()
    expect(reloaded(stale(before), 2, structuredClone(before.confirmed)).view).toBe(before.view)
  })
})

describe('refusals', () => {
  const both = saving(opened(), at(1, 5))

  test('hold back what is named, and send the rest', () => {
    const pending = answered(both, 1, rejection(1, problem('BAD', 'blocks', 'a')))
    expect(pending.view).toEqual(at(1, 5))
    expect(problemsOf(pending)).toMatchObject([{ code: 'BAD' }])
    const next = posted(pending, NOW)
    expect(sentOf(next)).toMatchObject([{ sequence: 2, changes: [x('b', 5)] }])
    const saved = answered(next, 2, answer(2))
    expect(saved).toMatchObject({ version: 2, confirmed: at(0, 5), view: at(1, 5), isStale: false })
    expect(isWaiting(saved)).toBe(false)
  })

  test.each([[[problem('EMPTY')]], [[problem('BAD', 'elsewhere')]]])('hold back everything: %j', (problems) => {
    const pending = answered(both, 1, rejection(1, ...problems))
    expect(isWaiting(pending)).toBe(false)
    expect(discarded(pending)).toMatchObject({ view: at(0), layers: [] })
  })

  test('may be tried again, as one who means to empty the workflow', () => {
    const pending = answered(both, 1, rejection(1, problem('EMPTY')))
    const again = posted(retried(pending), NOW)
    expect(problemsOf(again)).toEqual([])
    expect(sentOf(again)).toMatchObject([{ sequence: 2, allowEmpty: true, changes: [x('a', 1), x('b', 5)] }])
  })

  test('what is let go takes nothing else with it', () => {
    const pending = failed(both, 1, 'FORBIDDEN', '')
    const later = made(pending, at(1, 9))
    expect(discarded(later)).toMatchObject({ view: at(0, 9), open: [x('b', 9)] })
  })

  test('what was not even decided keeps its sequence for the next', () => {
    const pending = failed(both, 1, 'FORBIDDEN', 'No.')
    expect(problemsOf(pending)).toEqual([{ path: [], code: 'FORBIDDEN', message: 'No.' }])
    expect(sentOf(saving(pending, at(1, 6)))).toMatchObject([{ sequence: 1 }])
  })

  test('what was skipped behind a refusal is sent again', () => {
    const two = posted(closed(made(both, at(2, 5))), NOW, true)
    const first = answered(two, 1, rejection(1, problem('BAD', 'blocks', 'b')))
    const skipped = answer(0, { status: 'REJECTED', lastSequence: null, problems: [problem('SKIPPED')] })
    const second = answered(first, 2, skipped)
    expect(sentOf(posted(second, NOW, true)).map(({ sequence, changes }) => [sequence, changes])).toEqual([
      [2, [x('a', 1)]],
      [3, [x('a', 2)]],
    ])
  })

  test('what is too large goes in halves, and one change that is too large is refused', () => {
    const halves = failed(both, 1, 'TOO_LARGE', '')
    const sent = posted(halves, NOW, true)
    expect(sentOf(sent)).toMatchObject([
      { sequence: 1, changes: [x('a', 1)] },
      { sequence: 2, changes: [x('b', 5)] },
    ])
    expect(problemsOf(failed(sent, 1, 'TOO_LARGE', ''))).toMatchObject([{ code: 'TOO_LARGE' }])
  })
})

describe('the outbox', () => {
  test('keeps each save as it was or will be sent', () => {
    const pending = made(saving(opened(), at(1)), at(1, 5))
    expect(segmentsOf(pending)).toMatchObject([
      { sequence: 1, sent: true, reason: 'DEBOUNCED', mode: 'MERGE' },
      { sequence: 2, sent: false, changes: [x('b', 5)], at: NOW },
    ])
  })

  test('gives back what it was given', () => {
    const kept = segmentsOf(made(saving(opened(), at(1)), at(1, 5)))
    const pending = loaded(opened(4, at(0, 3)), kept)
    expect(pending.view).toEqual(at(1, 5))
    expect(segmentsOf(pending)).toMatchObject(kept)
    const sent = posted(pending, NOW, true)
    expect(sentOf(sent)).toMatchObject([
      { sequence: 1, base: 1, reason: 'DEBOUNCED' },
      { sequence: 2, base: 1, reason: 'UNLOAD' },
    ])
  })

  test('knows which sequences were used', () => {
    const begun = begin({ clientId: 'me', version: 1, confirmed: at(0), last: 4 })
    const refused = failed(saving(begun, at(1)), 5, 'FORBIDDEN', '')
    const pending = loaded(opened(), segmentsOf(refused))
    expect(sentOf(saving(pending, at(1, 5)))).toMatchObject([{ sequence: 5 }])
  })

  test('sends old work only where nobody else touched the same', () => {
    const old = closed(made(opened(), at(1)))
    expect(sentOf(posted(old, NOW + 10 * MINUTE_MS))).toMatchObject([{ mode: 'MERGE' }])
    expect(sentOf(posted(old, NOW + 11 * MINUTE_MS))).toMatchObject([{ mode: 'STRICT' }])
  })

  test('sends old work again as the browser may have, where its sequence was used', () => {
    const strict = posted(loaded(opened(), segmentsOf(made(opened(), at(1)))), NOW + 11 * MINUTE_MS)
    const again = posted(failed(strict, 1, 'BAD_USER_INPUT', ''), NOW + 11 * MINUTE_MS)
    expect(sentOf(again)).toMatchObject([{ sequence: 1, mode: 'MERGE', reason: 'UNLOAD' }])
    expect(problemsOf(failed(again, 1, 'BAD_USER_INPUT', ''))).toHaveLength(1)
  })
})

describe('creating', () => {
  const unborn = begin({ clientId: 'me', version: 0, confirmed: {}, view: at(0), last: 0, name: 'Mine' })

  test('nothing is unsaved of what a workflow begins with', () => {
    expect(isUnsynced(unborn)).toBe(false)
    expect(closed(unborn)).toBe(unborn)
  })

  test('the first save is the whole document, and the next ones what changed', () => {
    const pending = made(saving(unborn, at(1)), at(1, 5))
    expect(segmentsOf(pending)).toMatchObject([
      { base: 0, state: at(1), changes: null, name: 'Mine' },
      { base: 0, state: null, changes: [x('b', 5)] },
    ])
    const created = answered(pending, 1, answer(1, { status: 'CREATED' }))
    expect(created).toMatchObject({ version: 1, confirmed: at(1), view: at(1, 5) })
    expect(segmentsOf(created)).toMatchObject([{ base: 1 }])
  })

  test('it may be asked for as it is', () => {
    expect(segmentsOf(closed(unborn, 'MANUAL', NOW))).toMatchObject([{ state: at(0), at: NOW }])
  })

  test('a workflow that somebody else created meanwhile is merged with, not replaced', () => {
    const pending = reloaded(stale(made(unborn, at(1))), 3, { name: 'theirs' })
    expect(pending).toMatchObject({ version: 3, view: { name: 'theirs', blocks: { a: { x: 1 } } } })
    expect(segmentsOf(pending)).toMatchObject([{ base: 0, state: at(1) }])
  })
})

describe('edits whose paths lead nowhere on the server', () => {
  const rejected = (changes: Document, merge?: Merge) =>
    answered(
      saving(opened(1, at(0), merge), changes),
      1,
      answer(1, {
        status: 'REJECTED',
        problems: [problem('PATH', 'blocks', 'a', 'x')],
      }),
    )
  const without = { blocks: { b: { x: 0 } } }

  test("are nobody else's business until it is known what stands", () => {
    const pending = rejected(at(1))
    expect(problemsOf(pending)).toEqual([])
    expect(pending).toMatchObject({ isStale: true, view: at(1) })
    expect([isWaiting(pending), isUnsynced(pending)]).toEqual([false, true])
  })

  test('are made again on that', () => {
    const pending = reloaded(rejected(at(1)), 4, at(7, 7))
    expect(segmentsOf(pending)).toMatchObject([{ base: 4, changes: [x('a', 1)], sequence: 2 }])
    expect(pending.view).toEqual(at(1, 7))
  })

  test('leave the others as they are, on the version that they were made on', () => {
    const pending = answered(
      saving(opened(), at(1, 1)),
      1,
      answer(1, {
        status: 'REJECTED',
        problems: [problem('PATH', 'blocks', 'a', 'x')],
      }),
    )
    const [again, other] = segmentsOf(reloaded(pending, 4, at(7, 7)))
    expect([again, other]).toMatchObject([
      { base: 4, changes: [x('a', 1)] },
      { base: 1, changes: [x('b', 1)] },
    ])
  })

  test('wait for the user where what they were part of is gone', () => {
    const pending = reloaded(rejected(at(1)), 4, without)
    expect(problemsOf(pending)).toMatchObject([{ code: 'GONE', path: ['blocks', 'a', 'x'] }])
    expect(isWaiting(pending)).toBe(false)
    expect(discarded(pending).view).toEqual(without)
  })

  test('bring it back where that can be told', () => {
    const pending = reloaded(rejected(at(1), threeWay), 4, without)
    expect(pending.view).toEqual(at(1))
    expect(segmentsOf(pending)).toMatchObject([{ base: 4, changes: [{ path: ['blocks', 'a'], value: { x: 1 } }] }])
  })

  test('are over where there is nothing left to do', () => {
    const pending = answered(
      saving(opened(), { blocks: { b: { x: 0 } } }),
      1,
      answer(1, {
        status: 'REJECTED',
        problems: [problem('PATH', 'blocks', 'a')],
      }),
    )
    expect(isUnsynced(reloaded(pending, 4, without))).toBe(false)
  })

  test('are made again after the page was loaded anew', () => {
    const kept = segmentsOf(rejected(at(1)))
    expect(segmentsOf(reloaded(loaded(opened(4, at(7)), kept), 4, at(7)))).toMatchObject([{ base: 4, sent: false }])
  })
})
