import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { PathError, apply, collide, diff, fitting, same } from '../src/document.js'
import type { Change, Document, Json, Path } from '../src/types.js'
import { anyDocument, frozen, twoDocuments } from './merge/json.js'

const items = (...ids: string[]): Document[] => ids.map((id) => ({ id }))
const proto = (value: Json): Document => ({ ['__proto__']: value })
const copy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value
const set = (path: Path, value: Json): Change => ({ path, value })
const remove = (path: Path): Change => ({ path, remove: true })
const order = (path: Path, ...ids: string[]): Change => ({ path, order: ids })

describe('diff', () => {
  test('leads from the one document to the other, the order of lists included', () => {
    fc.assert(
      fc.property(twoDocuments, (pair) => {
        const [before, after] = frozen(pair)
        expect(same(apply(before, frozen(diff(before, after))), after)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('finds nothing exactly where two documents are the same', () => {
    fc.assert(
      fc.property(twoDocuments, ([before, after]) => {
        expect(diff(before, copy(before))).toEqual([])
        expect(diff(before, after).length === 0).toBe(same(before, after))
      }),
    )
  })

  test('has nothing superfluous', () => {
    fc.assert(
      fc.property(twoDocuments, ([before, after]) => {
        const there = diff(before, after)
        for (const left of there) {
          const others = there.filter((change) => change !== left)
          expect(same(applied(before, others), after)).toBe(false)
        }
      }),
    )
  })

  const applied = (document: Document, changes: readonly Change[]): Document | undefined => {
    try {
      return apply(document, changes)
    } catch {
      return undefined
    }
  }

  test.each<[string, Document, Document, Change[]]>([
    ['a new key', {}, { a: 1 }, [set(['a'], 1)]],
    ['a key that went', { a: 1 }, {}, [remove(['a'])]],
    ['null is a value', { a: 1 }, { a: null }, [set(['a'], null)]],
    ['null is not nothing', { a: null }, {}, [remove(['a'])]],
    ['nothing is not null', {}, { a: null }, [set(['a'], null)]],
    ['true is not 1', { a: 1 }, { a: true }, [set(['a'], true)]],
    ['true in a list is not 1', { a: [0, [1]] }, { a: [0, [true]] }, [set(['a'], [0, [true]])]],
    ['-0 is 0', { a: 0 }, { a: -0 }, []],
    ['text is no number', { a: 1 }, { a: '1' }, [set(['a'], '1')]],
    ['an empty object is no empty list', { a: {} }, { a: [] }, [set(['a'], [])]],
    ['the order of keys is no content', { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }, []],
    ['nor in a list that is one value', { a: [{ c: 1, d: 2 }] }, { a: [{ d: 2, c: 1 }] }, []],
    ['an empty key', { '': { '': 1 } }, { '': { '': 2 } }, [set(['', ''], 2)]],
    ['a key that JavaScript minds', {}, proto({ a: 1 }), [set(['__proto__'], { a: 1 })]],
    ['a member of it', proto({ a: 1 }), proto({ a: 2 }), [set(['__proto__', 'a'], 2)]],
    ['a key that objects inherit', {}, { constructor: 1 } as unknown as Document, [set(['constructor'], 1)]],
    ['it went', { hasOwnProperty: 1 }, {}, [remove(['hasOwnProperty'])]],
    ['keys that are no ASCII', { ключ: { é: 1 } }, { ключ: { é: 2 } }, [set(['ключ', 'é'], 2)]],
    ['a list without ids is one value', { a: [1, 2] }, { a: [1, 3] }, [set(['a'], [1, 3])]],
    ["an item's property", { a: [{ id: 'n1', x: 1 }] }, { a: [{ id: 'n1', x: 2 }] }, [set(['a', 'n1', 'x'], 2)]],
    [
      'lists in items of lists',
      { a: [{ id: '1', b: [{ id: '2', c: 1 }] }] },
      { a: [{ id: '1', b: [{ id: '2', c: 2 }] }] },
      [set(['a', '1', 'b', '2', 'c'], 2)],
    ],
    ['a new item goes last', { a: items('2', '1') }, { a: items('2', '1', '0') }, [set(['a', '0'], { id: '0' })]],
    [
      'a new item that does not go last has an order',
      { a: items('1', '2') },
      { a: items('1', '3', '2') },
      [set(['a', '3'], { id: '3' }), order(['a'], '1', '3', '2')],
    ],
    ['an item that went', { a: items('1', '2', '3') }, { a: items('1', '3') }, [remove(['a', '2'])]],
    ['another order', { a: items('1', '2', '3') }, { a: items('3', '1', '2') }, [order(['a'], '3', '1', '2')]],
    [
      'another id is another item',
      { a: [{ id: '1', x: 1 }] },
      { a: [{ id: '2', x: 1 }] },
      [remove(['a', '1']), set(['a', '2'], { id: '2', x: 1 })],
    ],
    [
      'an empty list is keyed when the other side is',
      { a: [], b: items('1') },
      { a: items('1'), b: [] },
      [set(['a', '1'], { id: '1' }), remove(['b', '1'])],
    ],
    ['an empty list that gets numbers is one value', { a: [] }, { a: [1] }, [set(['a'], [1])]],
    ['the same id twice', { a: items('1', '1') }, { a: items('1', '2') }, [set(['a'], items('1', '2'))]],
    ['an empty id', { a: items('1') }, { a: items('') }, [set(['a'], items(''))]],
    ['an id that is a number', { a: [{ id: 1 }] }, { a: [{ id: 2 }] }, [set(['a'], [{ id: 2 }])]],
    ['an item without id', { a: items('1') }, { a: [{ id: '1' }, {}] }, [set(['a'], [{ id: '1' }, {}])]],
    ['the clock is told like anything else', { lastSaved: 1 }, { lastSaved: 2 }, [set(['lastSaved'], 2)]],
  ])('%s', (_, before, after, there) => {
    expect(diff(before, after)).toStrictEqual(there)
    expect(same(apply(before, there), after)).toBe(true)
  })

  test('takes a member that is undefined for none, as JSON does', () => {
    const undefinedMember = { a: undefined, b: 1 } as unknown as Document
    expect(diff(undefinedMember, { b: 1 })).toEqual([])
    expect(diff({ b: 1 }, undefinedMember)).toEqual([])
    expect(diff({ a: 1, b: 1 }, undefinedMember)).toEqual([remove(['a'])])
    expect(diff(undefinedMember, { a: 1, b: 1 })).toEqual([set(['a'], 1)])
  })

  test('takes a number that JSON has not for the null that it becomes', () => {
    expect(diff({ a: null, b: NaN }, { a: NaN, b: null })).toEqual([])
  })

  test('never looks into what is the very same object', () => {
    const untouchable = new Proxy({ a: 1 }, { ownKeys: () => expect.unreachable() })
    expect(diff({ a: untouchable, b: 1 }, { a: untouchable, b: 2 })).toEqual([set(['b'], 2)])
  })

  test.each([1, 5, 199])('finds a change %i levels down', (levels) => {
    const nested = (value: Json): Document =>
      Array.from({ length: levels }).reduce<Document>((inner) => ({ a: inner }), { kept: [1, 2], x: value })
    const path = [...Array.from({ length: levels }, () => 'a'), 'x']
    expect(diff(nested(1), nested(true))).toEqual([set(path, true)])
  })
})

describe('apply', () => {
  test('shares what no change touches', () => {
    const document = frozen({ a: { x: 1 }, b: { y: [1] }, c: items('1', '2') })
    const result = apply(document, [set(['a', 'x'], 2), set(['c', '1', 'z'], 1)])
    expect(result).toEqual({ a: { x: 2 }, b: { y: [1] }, c: [{ id: '1', z: 1 }, { id: '2' }] })
    expect(result['b']).toBe(document.b)
    expect((result['c'] as Json[])[1]).toBe(document.c[1])
  })

  test('without changes gives the very document', () => {
    const document: Document = { a: { b: 1 } }
    expect(apply(document, [])).toBe(document)
  })

  test('takes changes one after the other, and leaves the values in them alone', () => {
    const value = { x: 1, list: items('1') }
    const there = frozen([
      set(['a'], 1),
      set(['a'], {}),
      set(['a', 'b'], 2),
      set(['a'], value),
      set(['a', 'x'], 2),
      set(['a', 'list', '2'], { id: '2' }),
      set(['a', 'list', '1', 'y'], 3),
      order(['a', 'list'], '2', '1'),
      set(['b'], 1),
      remove(['b']),
    ])
    expect(apply({}, there)).toEqual({ a: { x: 2, list: [{ id: '2' }, { id: '1', y: 3 }] } })
    expect(value).toEqual({ x: 1, list: items('1') })
  })

  test('puts a new item last and a replaced one where it was, whatever their ids', () => {
    const there = [set(['a', '0'], { id: '0' }), set(['a', '2'], { id: '2', x: 1 })]
    expect(apply({ a: items('2', '1') }, there)).toEqual({ a: [{ id: '2', x: 1 }, { id: '1' }, { id: '0' }] })
  })

  test('keeps a key that JavaScript minds a key', () => {
    const result = apply({}, [set(['__proto__'], {}), set(['__proto__', 'constructor'], 1)])
    expect(JSON.stringify(result)).toBe('{"__proto__":{"constructor":1}}')
    expect(({} as Document)['constructor']).toBe(Object)
    expect(JSON.stringify(apply(result, [remove(['__proto__'])]))).toBe('{}')
  })

  test('lets an item keep an id that is set again', () => {
    expect(apply({ a: items('1') }, [set(['a', '1', 'id'], '1')])).toEqual({ a: items('1') })
  })

  const misfits: [string, Change][] = [
    ['the document itself', set([], {})],
    ['below nothing', set(['gone', 'x'], 1)],
    ['below what objects inherit', set(['constructor', 'x'], 1)],
    ['below a number', set(['number', 'x'], 1)],
    ['below null', set(['null', 'x'], 1)],
    ['below a text', set(['text', '0'], 1)],
    ['into a list without ids', set(['list', '0'], 1)],
    ['into a list with one id twice', set(['twice', '1', 'x'], 1)],
    ['an item that is no object', set(['keyed', '1'], 1)],
    ['an item without its id', set(['keyed', '1'], {})],
    ['an item with another id', set(['keyed', '1'], { id: '2' })],
    ['an item with an empty id', set(['empty', ''], { id: '' })],
    ['another id for an item', set(['keyed', '1', 'id'], '2')],
    ['no id for an item', remove(['keyed', '1', 'id'])],
    ['removing nothing', remove(['gone'])],
    ['removing what objects inherit', remove(['toString'])],
    ['removing an item that is not there', remove(['keyed', '9'])],
    ['ordering nothing', order(['gone'])],
    ['ordering the document', order([])],
    ['ordering an object', order(['object'], 'x')],
    ['ordering a list without ids', order(['list'], '1')],
    ['an order that leaves an item out', order(['keyed'], '1')],
    ['an order with an item too many', order(['keyed'], '1', '2', '3')],
    ['an order with an item twice', order(['keyed'], '1', '1')],
  ]
  const document: Document = frozen({
    number: 1,
    null: null,
    text: 'abc',
    object: { x: 1 },
    list: [1],
    twice: items('1', '1'),
    keyed: items('1', '2'),
    empty: [],
  })

  test.each(misfits)('refuses, with its path, %s', (_, misfit) => {
    const refused = (): Document => apply(document, [set(['number'], 2), misfit])
    expect(refused).toThrow(PathError)
    expect(refused).toThrow(expect.objectContaining({ path: misfit.path }))
  })

  test.each(misfits)('can leave out %s', (_, misfit) => {
    expect(fitting(document, [misfit])).toBe(document)
    expect(fitting(document, [misfit, set(['number'], 2)])).toEqual({ ...document, number: 2 })
  })
})

test('changes of one document fit another one or are left out, and nothing is changed in place', () => {
  fc.assert(
    fc.property(twoDocuments, anyDocument, (pair, other) => {
      const [before, after] = pair
      const there = frozen(diff(before, after))
      expect(same(fitting(frozen(before), there), after)).toBe(true)
      fitting(frozen(other), there)
    }),
  )
})

test('what is identical in both documents is not even looked at', () => {
  const closed: Document = Object.defineProperty({}, 'text', {
    enumerable: true,
    get: () => expect.fail('somebody looked'),
  })
  const before: Document = {
    blocks: { a: closed, b: { x: 1 } },
    list: [
      { id: '1', closed },
      { id: '2', x: 1 },
    ],
  }
  const after = apply(before, [set(['blocks', 'b', 'x'], 2), set(['list', '2', 'x'], 2)])
  expect(diff(before, after)).toEqual([set(['blocks', 'b', 'x'], 2), set(['list', '2', 'x'], 2)])
})

describe('collide', () => {
  test.each<[string, string, boolean]>([
    ['a/b', 'a/b', true],
    ['a', 'a/b', true],
    ['a/b', 'a', true],
    ['a/b', 'a/c', false],
    ['a/b/c', 'a/c/c', false],
    ['a', 'ab', false],
  ])('of %s and %s is %s', (one, other, isTold) => {
    const [a, b] = [remove(one.split('/')), order(other.split('/'))]
    expect(collide([a], [b])).toBe(isTold)
    expect(collide([remove(['z']), a], [remove(['y']), b])).toBe(isTold)
  })

  test('of nothing is false', () => {
    expect(collide([], [remove(['a'])])).toBe(false)
  })
})

test.each<[Json | undefined, Json | undefined, boolean]>([
  [1, 1.0, true],
  [1, true, false],
  [0, -0, true],
  ['1', 1, false],
  [null, undefined, false],
  [{}, [], false],
  [{}, null, false],
  [[1, 2], [2, 1], false],
  [[1], [1, 2], false],
  [{ a: 1, b: [1] }, { b: [1], a: 1 }, true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [{}, proto({}), false],
  [proto({ a: 1 }), proto({ a: 1 }), true],
])('%j and %j are the same: %s', (a, b, isSame) => {
  expect(same(a, b)).toBe(isSame)
  expect(same(b, a)).toBe(isSame)
})
