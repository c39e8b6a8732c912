import { expect, test } from 'vitest'
import { noted, NO_STEPS, redone, undone, type Steps } from '../src/steps.js'
import type { Document } from '../src/types.js'

const EMPTY: Document = { blocks: {} }
const at = (x: number, y = 0): Document => ({ blocks: { a: { x, y } } })

/** The steps of one who makes one document after the other. */
const made = (documents: readonly Document[], name?: string, from = NO_STEPS): Steps =>
  documents.slice(1).reduce((steps, after, place) => noted(steps, documents[place] ?? {}, after, name), from)

test('what was done is taken back, step by step, and done again', () => {
  const steps = made([EMPTY, at(1), at(2)])
  const once = undone(steps, at(2))
  const twice = undone(once.steps, once.view)
  expect([once.view, twice.view]).toEqual([at(1), EMPTY])
  const again = redone(twice.steps, twice.view)
  expect(again.view).toEqual(at(1))
  expect(redone(again.steps, again.view).view).toEqual(at(2))
})

test('nothing is taken back where nothing was done', () => {
  const document = at(1)
  expect(undone(NO_STEPS, document)).toEqual({ steps: NO_STEPS, view: document })
  expect(redone(NO_STEPS, document).view).toBe(document)
})

test('edits of one step are taken back together', () => {
  const steps = made([at(0), at(1), at(2), at(2, 5), at(3, 6)], 'drag')
  expect(steps.past).toHaveLength(1)
  expect(undone(steps, at(3, 6)).view).toEqual(at(0))
})

test('a drag is remembered by where it began, however long it takes', () => {
  const steps = made([at(0), ...Array.from({ length: 50 }, (_, x) => at(x + 1))], 'drag')
  expect(steps.past[0]?.changes).toHaveLength(1)
})

test('edits of two steps are not taken back together, nor edits without a step', () => {
  const one = made([at(0), at(1)], 'one')
  expect(made([at(1), at(2)], 'two', one).past).toHaveLength(2)
  expect(made([at(0), at(1), at(2)]).past).toHaveLength(2)
})

test('what others did meanwhile stays', () => {
  const steps = made([at(0), at(1)])
  expect(undone(steps, at(1, 7)).view).toEqual(at(0, 7))
})

test('what others removed is not brought back by taking back an edit inside it', () => {
  const steps = made([at(0), at(1)])
  expect(undone(steps, EMPTY).view).toEqual(EMPTY)
})

test('a removal is taken back with the order of its list', () => {
  const list = (...ids: string[]): Document => ({ edges: ids.map((id) => ({ id })) })
  const steps = made([list('a', 'b', 'c'), list('a', 'c')])
  expect(undone(steps, list('a', 'c')).view).toEqual(list('a', 'b', 'c'))
})

test('an edit after taking back leaves nothing to do again, and begins a step', () => {
  const steps = made([at(0), at(1), at(2)], 'drag')
  const back = undone(steps, at(2))
  const on = made([back.view, at(5)], 'drag', back.steps)
  expect(on.future).toEqual([])
  expect(undone(on, at(5)).view).toEqual(at(0))
})

test('an edit that changes nothing is no step', () => {
  expect(noted(NO_STEPS, at(1), at(1))).toBe(NO_STEPS)
})

test('only the last hundred steps are remembered', () => {
  const steps = made(Array.from({ length: 150 }, (_, x) => at(x)))
  expect(steps.past).toHaveLength(100)
  expect(undone(steps, at(149)).view).toEqual(at(148))
})
