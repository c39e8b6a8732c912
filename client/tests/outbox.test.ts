import { IDBFactory } from 'fake-indexeddb'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createOutbox, keepDocument, readDocument, type Box, type Segment } from '../src/outbox.js'
import type { Kept } from '../src/types.js'
import { FakeStorage, refusing } from './storage.js'

const KEY = 'workflow-sync:outbox:tab:w'

let storage: FakeStorage
let told: [Kept, Box][]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('indexedDB', new IDBFactory())
  storage = new FakeStorage()
  told = []
})

afterEach(() => vi.useRealTimers())

const open = (given: Parameters<typeof createOutbox>[0] = storage) =>
  createOutbox(given, (kept, box) => told.push([kept, box]))

const segment = (sequence: number, value = 'x'): Segment => ({
  clientId: 'tab',
  sequence,
  base: 3,
  changes: [{ path: ['a'], value }],
  state: null,
  at: 1_000,
  sent: false,
  allowEmpty: false,
})
const box = (segments: readonly Segment[] = [segment(1)], workflowId = 'w', clientId = 'tab'): Box => ({
  user: 'ada',
  endpoint: '/graphql',
  workflowId,
  clientId,
  segments,
})
const huge = box([segment(1, 'x'.repeat(1_000))])
const indexed = async () => open(new FakeStorage()).read('tab', 'w')
/** What is told after a write that was not at once. */
const outcome = () => vi.waitFor(() => expect(told.length).toBe(1))

describe('a box', () => {
  it('is kept at once, and found by another page', async () => {
    expect(open().write(box())).toBe('device')
    expect(JSON.parse(storage.getItem(KEY) ?? '')).toEqual(box())
    expect(await open().read('tab', 'w')).toEqual(box())
  })

  it('is listed by its tab and workflow, whatever characters that has', async () => {
    storage.setItem('other', '1')
    const outbox = open()
    outbox.write(box([segment(1)], 'a:b/c'))
    expect(await outbox.list()).toEqual([
      { key: 'workflow-sync:outbox:tab:a:b/c', clientId: 'tab', workflowId: 'a:b/c' },
    ])
    expect(await outbox.read('tab', 'a:b/c')).toEqual(box([segment(1)], 'a:b/c'))
  })

  it('without segments is removed', async () => {
    const outbox = open()
    outbox.write(box())
    expect(outbox.write(box([]))).toBe('device')
    expect(storage.length).toBe(0)
    expect(await outbox.list()).toEqual([])
  })

  it('that creates a workflow holds its document', async () => {
    const creating = box([{ ...segment(1), changes: null, state: {}, name: 'New' }])
    open().write(creating)
    expect(await open().read('tab', 'w')).toEqual(creating)
  })

  it('that is not there is null', async () => {
    expect(await open().read('tab', 'w')).toBe(null)
  })

  it('is kept in localStorage unless told otherwise', () => {
    vi.stubGlobal('localStorage', storage)
    expect(createOutbox(undefined, () => {}).write(box())).toBe('device')
    expect(storage.length).toBe(1)
  })
})

describe('what cannot be understood', () => {
  it.each([
    '',
    '{',
    'null',
    '7',
    '"text"',
    '{}',
    '{"segments":7}',
    '{"segments":[]}',
    '{"segments":[null]}',
    '{"segments":[{}]}',
    '{"segments":[{"sequence":1,"changes":null,"state":null}]}',
    '{"segments":[{"sequence":1,"changes":[{}]}]}',
    '{"segments":[{"sequence":1,"changes":{}}]}',
  ])('is skipped and left alone: %s', async (text) => {
    storage.setItem(KEY, text)
    expect(await open().read('tab', 'w')).toBe(null)
    expect(storage.getItem(KEY)).toBe(text)
  })
})

describe('where localStorage is full', () => {
  beforeEach(() => {
    storage.quota = 600
  })

  it('a box goes to IndexedDB, which is told once it is there', async () => {
    const outbox = open()
    expect(outbox.write(huge)).toBe('nowhere')
    await outcome()
    expect(told).toEqual([['device', huge]])
    expect(await open().read('tab', 'w')).toEqual(huge)
    expect(await open().list()).toEqual([{ key: KEY, clientId: 'tab', workflowId: 'w' }])
  })

  it('the older box stays until the newer is there, and is not taken for it then', async () => {
    const outbox = open()
    outbox.write(box())
    outbox.write(huge)
    expect(storage.getItem(KEY)).toBe(JSON.stringify(box()))
    await outcome()
    expect(await open().read('tab', 'w')).toEqual(huge)
  })

  it('a box that fits again is the one that counts', async () => {
    const outbox = open()
    outbox.write(huge)
    expect(outbox.write(box())).toBe('device')
    expect(await open().read('tab', 'w')).toEqual(box())
    await vi.waitFor(async () => expect(await indexed()).toEqual(box()))
    expect(told).toEqual([])
  })

  it('only the newest of several is told', async () => {
    const outbox = open()
    outbox.write(box([segment(1, 'y'.repeat(1_000))]))
    outbox.write(huge)
    await outcome()
    expect(told).toEqual([['device', huge]])
    expect(await indexed()).toEqual(huge)
  })

  it.each([
    ['there', 2_000, 1_000],
    ['not there', 1_000, 2_000],
  ])('the newer box counts where a page ended while one moved: %s', async (_, at, other) => {
    const ending = (end: number) => box([{ ...segment(1), at: end }])
    open(refusing).write(ending(at))
    await outcome()
    storage.setItem(KEY, JSON.stringify(ending(other)))
    const outbox = open()
    expect(await outbox.read('tab', 'w')).toEqual(ending(2_000))
    outbox.remove('tab', 'w')
    await vi.waitFor(async () => expect(await indexed()).toBe(null))
    expect(await outbox.read('tab', 'w')).toBe(null)
  })

  it('a removed box is gone, by the page that wrote it and by one that found it', async () => {
    const outbox = open()
    outbox.write(huge)
    outbox.remove('tab', 'w')
    await vi.waitFor(async () => expect(await indexed()).toBe(null))
    expect(told).toEqual([])
    outbox.write(huge)
    await outcome()
    const other = open()
    await other.read('tab', 'w')
    other.remove('tab', 'w')
    await vi.waitFor(async () => expect(await indexed()).toBe(null))
    expect(await other.list()).toEqual([])
  })

  it.each([
    [
      'refuses',
      () => {
        throw new DOMException('No.', 'SecurityError')
      },
    ],
    [
      'fails',
      () => {
        const request = { error: new DOMException('No.'), onerror: () => {} }
        setTimeout(() => request.onerror())
        return request
      },
    ],
  ])('and IndexedDB %s, it is told that the box is nowhere', async (_, open_) => {
    vi.stubGlobal('indexedDB', { open: open_ })
    const outbox = open()
    expect(outbox.write(huge)).toBe('nowhere')
    await outcome()
    expect(told).toEqual([['nowhere', huge]])
    expect(await outbox.isUntouched('tab')).toBe(true)
  })

  it('and IndexedDB never answers, nobody waits for it for long', async () => {
    vi.stubGlobal('indexedDB', { open: () => ({}) })
    const outbox = open()
    outbox.write(huge)
    const read = outbox.read('other', 'w')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(told).toEqual([['nowhere', huge]])
    expect(await read).toBe(null)
  })
})

describe('where localStorage refuses everything', () => {
  it.each([
    ['refuses', refusing],
    ['is not there', undefined],
  ])('because it %s, boxes are kept, listed, read and removed all the same', async (_, given) => {
    const outbox = createOutbox(given, (kept, of) => told.push([kept, of]))
    expect(outbox.write(box())).toBe('nowhere')
    await outcome()
    expect(told).toEqual([['device', box()]])
    expect(await outbox.list()).toEqual([{ key: KEY, clientId: 'tab', workflowId: 'w' }])
    expect(await outbox.read('tab', 'w')).toEqual(box())
    expect(await outbox.isUntouched('tab')).toBe(true)
    outbox.remove('tab', 'w')
    expect(await outbox.list()).toEqual([])
  })

  it('and its very name throws, that is the same', async () => {
    const get = () => refusing.length
    Object.defineProperty(globalThis, 'localStorage', { configurable: true, get })
    onTestFinished(() => void Reflect.deleteProperty(globalThis, 'localStorage'))
    const outbox = createOutbox(undefined, (kept, of) => told.push([kept, of]))
    expect(outbox.write(box())).toBe('nowhere')
    await outcome()
    expect(told).toEqual([['device', box()]])
  })
})

describe('a browser that dies before localStorage is on the disk', () => {
  const die = () => storage.removeItem(KEY)
  const copied = (expected: Box | null) => vi.waitFor(async () => expect(await indexed()).toEqual(expected))

  it('leaves the box in IndexedDB, which gets the newest now and then', async () => {
    const outbox = open()
    outbox.write(box())
    outbox.write(box([segment(1, 'y')]))
    await copied(box([segment(1, 'y')]))
    outbox.write(box([segment(1, 'z')]))
    await copied(box([segment(1, 'z')]))
    die()
    expect(await open().read('tab', 'w')).toEqual(box([segment(1, 'z')]))
  })

  it('leaves nothing of what was sent', async () => {
    const outbox = open()
    outbox.write(box())
    await copied(box())
    outbox.remove('tab', 'w')
    await copied(null)
    outbox.write(box())
    outbox.remove('tab', 'w')
    await vi.advanceTimersByTimeAsync(300)
    expect(await open().list()).toEqual([])
  })

  it('leaves nothing either of what another page sent meanwhile', async () => {
    open().write(box())
    open().remove('tab', 'w')
    await vi.advanceTimersByTimeAsync(300)
    expect(await open().list()).toEqual([])
  })
})

describe('what this page wrote', () => {
  it('is untouched while it stands as it was written', async () => {
    const outbox = open()
    expect(await outbox.isUntouched('tab')).toBe(true)
    outbox.write(box())
    outbox.write(box([segment(1)], 'v'))
    expect(await outbox.isUntouched('tab')).toBe(true)
    outbox.remove('tab', 'w')
    expect(await outbox.isUntouched('tab')).toBe(true)
  })

  it('is touched when another page sent some or all of it', async () => {
    const outbox = open()
    outbox.write(box([segment(1), segment(2)]))
    open().write(box([segment(2)]))
    expect(await outbox.isUntouched('tab')).toBe(false)
    outbox.write(box())
    open().remove('tab', 'w')
    expect(await outbox.isUntouched('tab')).toBe(false)
    expect(await outbox.isUntouched('other')).toBe(true)
  })

  it('is waited for while it goes to IndexedDB', async () => {
    storage.quota = 600
    const outbox = open()
    outbox.write(box())
    outbox.write(huge)
    expect(await outbox.isUntouched('tab')).toBe(true)
    open().remove('tab', 'w')
    const other = open()
    await other.read('tab', 'w')
    other.remove('tab', 'w')
    await vi.waitFor(async () => expect(await outbox.isUntouched('tab')).toBe(false))
  })
})

describe('whatever room there is', () => {
  const step = fc.record({
    quota: fc.constantFrom(0, 600, Infinity),
    characters: fc.option(fc.constantFrom(1, 1_000), { freq: 4 }),
    isSlow: fc.boolean(),
  })

  it('the newest box is what is found, and is where it was said to be', async () => {
    const check = async (steps: readonly { quota: number; characters: number | null; isSlow: boolean }[]) => {
      let last: Box | null = null
      let kept: Kept = 'device'
      const outbox = createOutbox(storage, (now) => (kept = now))
      for (const [index, { quota, characters, isSlow }] of steps.entries()) {
        storage.quota = quota
        last = characters ? box([{ ...segment(1, 'x'.repeat(characters)), at: index }]) : null
        if (last) kept = outbox.write(last)
        else outbox.remove('tab', 'w')
        if (isSlow) await outbox.isUntouched('tab')
        if (isSlow && last) expect(kept).toBe('device')
      }
      expect(await outbox.isUntouched('tab')).toBe(true)
      await outbox.list() // waits for what was asked of IndexedDB before
      expect(await open().read('tab', 'w')).toEqual(last)
      expect(await open().list()).toHaveLength(last ? 1 : 0)
    }
    const anew = () => {
      vi.stubGlobal('indexedDB', new IDBFactory())
      storage = new FakeStorage()
    }
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 8 }), check).beforeEach(anew), { numRuns: 100 })
  })
})

describe('the copy of a document', () => {
  const copy = { version: 3, document: { blocks: {} }, name: 'W', role: 'OWNER' } as const

  it('is there for whoever kept it, or for whoever cannot say who it is', async () => {
    await keepDocument('w', 'ada', copy)
    expect(await readDocument('w', 'ada')).toEqual({ ...copy, user: 'ada' })
    expect(await readDocument('w')).toEqual({ ...copy, user: 'ada' })
    expect(await readDocument('w', 'bob')).toBe(null)
    expect(await readDocument('v')).toBe(null)
  })

  it('is the newest, and can be forgotten', async () => {
    await keepDocument('w', 'ada', copy)
    await keepDocument('w', 'ada', { ...copy, version: 4 })
    expect((await readDocument('w'))?.version).toBe(4)
    await keepDocument('w', 'ada', null)
    expect(await readDocument('w')).toBe(null)
  })

  it('does not stay for ever: when there are too many, only the newest does', async () => {
    for (let index = 0; index < 51; index++) await keepDocument(`w${index}`, 'ada', copy)
    expect(await readDocument('w49')).toBe(null)
    expect(await readDocument('w50')).not.toBe(null)
  })

  it('leaves outboxes alone, and they leave it alone', async () => {
    const outbox = open(refusing)
    outbox.write(box())
    await outcome()
    for (let index = 0; index < 51; index++) await keepDocument(`w${index}`, 'ada', copy)
    expect(await outbox.read('tab', 'w')).toEqual(box())
  })

  it('keeps nobody from deleting the database', async () => {
    await keepDocument('w', 'ada', copy)
    await readDocument('w')
    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase('workflow-sync')
      deleting.onsuccess = resolve
      deleting.onblocked = reject
    })
  })

  it('is nothing to fail for', async () => {
    vi.stubGlobal('indexedDB', undefined)
    await keepDocument('w', 'ada', copy)
    expect(await readDocument('w')).toBe(null)
  })
})
