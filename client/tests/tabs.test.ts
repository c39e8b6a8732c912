import { setMaxListeners } from 'node:events'
import { IDBFactory } from 'fake-indexeddb'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createOutbox, type Box, type Outbox } from '../src/outbox.js'
import { createTabs, type Orphan, type Tabs } from '../src/tabs.js'
import { FakeBrowser, type FakeTab } from './locks.js'
import { FakeStorage } from './storage.js'

const HEAD_START_MS = 2_000

interface Page {
  readonly tabs: Tabs
  readonly locks: FakeTab
  readonly outbox: Outbox
  /** What it adopted, so far. */
  readonly adopted: Orphan[]
}

let storage: FakeStorage
let browser: FakeBrowser
let events: EventTarget
let pages: Page[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  vi.stubGlobal('indexedDB', new IDBFactory())
  events = new EventTarget()
  setMaxListeners(0, events)
  vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
  vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
  vi.stubGlobal('sessionStorage', new FakeStorage())
  storage = new FakeStorage()
  browser = new FakeBrowser()
  pages = []
})

afterEach(() => {
  for (const { tabs } of pages) tabs.close()
  vi.useRealTimers()
})

function open({ user = 'ada', hasLocks = true } = {}): Page {
  const locks = browser.open()
  vi.stubGlobal('navigator', hasLocks ? { locks } : {})
  const outbox = createOutbox(storage, () => {})
  const adopted: Orphan[] = []
  const isOurs = (box: Box) => box.user === user
  const onOrphan = (orphan: Orphan) => void adopted.push(orphan)
  const page = { tabs: createTabs({ outbox, isOurs, onOrphan }), locks, outbox, adopted }
  pages.push(page)
  return page
}

const boxOf = (page: Page, workflowId = 'w', value = 'x'): Box => ({
  user: 'ada',
  endpoint: '/graphql',
  workflowId,
  clientId: page.tabs.clientId,
  segments: [
    {
      clientId: page.tabs.clientId,
      sequence: 1,
      base: 1,
      changes: [{ path: ['a'], value }],
      state: null,
      at: 1,
      sent: false,
      allowEmpty: false,
    },
  ],
})

/** Let everything happen that needs no time. */
const settle = () => vi.advanceTimersByTimeAsync(0).then(() => new Promise((resolve) => setImmediate(resolve)))
const pass = async (ms: number) => {
  for (let round = 0; round < 20; round++) await settle()
  await vi.advanceTimersByTimeAsync(ms)
  for (let round = 0; round < 20; round++) await settle()
}
const write = (page: Page, workflowId?: string, value?: string): Box => {
  const box = boxOf(page, workflowId, value)
  page.outbox.write(box)
  return box
}
const boxes = ({ adopted }: Page) => adopted.map(({ box }) => box)
const isHeld = (page: Page) => browser.queues.has(`workflow-sync:${page.tabs.clientId}`)

describe('a page', () => {
  it('is another client than any other, and holds a lock of that name while it lives', async () => {
    const [a, b] = [open(), open()]
    await pass(0)
    expect(a.tabs.clientId).not.toBe(b.tabs.clientId)
    expect(a.tabs.clientId).toMatch(/^[0-9-]{20,43}$/)
    expect(isHeld(a)).toBe(true)
    a.tabs.close()
    await pass(0)
    expect([isHeld(a), isHeld(b)]).toEqual([false, true])
  })

  it('that is closed or falls asleep before it has its lock does not keep it', async () => {
    const [a, b] = [open(), open()]
    a.tabs.close()
    b.tabs.pause()
    await pass(0)
    expect([isHeld(a), isHeld(b)]).toEqual([false, false])
  })

  it('may be made on a server, where there is no browser', async () => {
    vi.unstubAllGlobals()
    const tabs = createTabs({ outbox: createOutbox(undefined, () => {}), isOurs: () => true, onOrphan: () => {} })
    expect(await tabs.orphans('w')).toEqual([])
    tabs.close()
  })

  it('is heard no more once it is closed', async () => {
    const page = open()
    const list = vi.spyOn(page.outbox, 'list')
    page.tabs.close()
    const key = 'workflow-sync:outbox:tab:w'
    events.dispatchEvent(Object.assign(new Event('storage'), { key, newValue: '{}' }))
    expect(list).not.toHaveBeenCalled()
  })
})

describe('the first view', () => {
  it('has the work that a dead tab left, at once', async () => {
    const dead = open()
    const box = write(dead)
    await pass(0)
    dead.locks.die()
    const orphans = await open().tabs.orphans('w')
    expect(orphans.map((orphan) => orphan.box)).toEqual([box])
  })

  it('does not have, nor wait for, the work of a tab that lives', async () => {
    write(open())
    expect(await open().tabs.orphans('w')).toEqual([])
  })

  it('has the boxes of a dead tab of its own workflow; others are handed out, too', async () => {
    const dead = open()
    const [mine, other] = [write(dead, 'w'), write(dead, 'v')]
    await pass(0)
    dead.locks.die()
    const page = open()
    expect((await page.tabs.orphans('w')).map((orphan) => orphan.box)).toEqual([mine])
    expect(boxes(page)).toEqual([other])
  })

  it('leaves boxes of others alone, and does not keep their lock', async () => {
    const dead = open()
    write(dead)
    await pass(0)
    dead.locks.die()
    expect(await open({ user: 'bob' }).tabs.orphans('w')).toEqual([])
    await pass(0)
    expect(isHeld(dead)).toBe(false)
    expect(storage.length).toBe(1)
  })

  it('leaves alone what it cannot understand', async () => {
    storage.setItem('workflow-sync:outbox:old:w', '{')
    expect(await open().tabs.orphans('w')).toEqual([])
    expect(storage.getItem('workflow-sync:outbox:old:w')).toBe('{')
  })
})

describe('a dead tab', () => {
  it('has its box adopted by a tab that lives, after a head start for itself', async () => {
    const [dead, page] = [open(), open()]
    const box = write(dead)
    page.tabs.look()
    await pass(HEAD_START_MS)
    expect(boxes(page)).toEqual([])
    dead.locks.die()
    await pass(HEAD_START_MS - 1)
    expect(boxes(page)).toEqual([])
    await pass(1)
    expect(boxes(page)).toEqual([box])
  })

  it('that is loaded again has its own work back before others take it', async () => {
    const [dead, other] = [open(), open()]
    const box = write(dead)
    other.tabs.look()
    await pass(0)
    dead.locks.die()
    await pass(300)
    const again = open()
    expect((await again.tabs.orphans('w')).map((orphan) => orphan.box)).toEqual([box])
    await pass(HEAD_START_MS)
    expect(boxes(other)).toEqual([])
  })

  it('has its box adopted by one tab only, although several wait', async () => {
    const [dead, ...others] = [open(), open(), open(), open()]
    const box = write(dead)
    for (const other of others) other.tabs.look()
    await pass(0)
    dead.locks.die()
    await pass(HEAD_START_MS)
    expect(others.flatMap(boxes)).toEqual([box])
    for (const other of others) other.tabs.look()
    await pass(10 * HEAD_START_MS)
    expect(others.flatMap(boxes)).toEqual([box])
  })

  it('has its box adopted by one of two tabs that load at the same time', async () => {
    const dead = open()
    const box = write(dead)
    await pass(0)
    dead.locks.die()
    const found = await Promise.all([open().tabs.orphans('w'), open().tabs.orphans('w')])
    expect(found.flat().map((orphan) => orphan.box)).toEqual([box])
  })

  it('has what is left of its box adopted by the next when the adopter dies, too', async () => {
    const [dead, first, second] = [open(), open(), open()]
    const box = {
      ...boxOf(dead),
      segments: [...boxOf(dead).segments, { ...boxOf(dead).segments[0], sequence: 2 }],
    } as Box
    dead.outbox.write(box)
    first.tabs.look()
    await pass(0)
    dead.locks.die()
    await pass(HEAD_START_MS)
    const rest = { ...box, segments: box.segments.slice(1) }
    first.outbox.write(rest)
    second.tabs.look()
    await pass(HEAD_START_MS)
    expect(boxes(second)).toEqual([])
    first.locks.die()
    await pass(HEAD_START_MS)
    expect(boxes(second)).toEqual([rest])
  })

  it('that left nothing is forgotten', async () => {
    const [dead, page] = [open(), open()]
    write(dead)
    page.tabs.look()
    await pass(0)
    dead.outbox.remove(dead.tabs.clientId, 'w')
    dead.tabs.close()
    await pass(HEAD_START_MS)
    expect(boxes(page)).toEqual([])
    expect(browser.queues.size).toBe(1)
  })

  it('is waited for once it writes, which is heard of', async () => {
    const [dead, page] = [open(), open()]
    const box = write(dead)
    const key = `workflow-sync:outbox:${dead.tabs.clientId}:w`
    events.dispatchEvent(Object.assign(new Event('storage'), { key, newValue: storage.getItem(key) }))
    await pass(0)
    dead.locks.die()
    await pass(HEAD_START_MS)
    expect(boxes(page)).toEqual([box])
  })

  it('is waited for once, however often it writes', async () => {
    const [dead, page] = [open(), open()]
    write(dead)
    const list = vi.spyOn(page.outbox, 'list')
    const key = `workflow-sync:outbox:${dead.tabs.clientId}:w`
    for (let index = 0; index < 5; index++) {
      events.dispatchEvent(Object.assign(new Event('storage'), { key, newValue: '{}' }))
      page.tabs.look()
      await pass(0)
    }
    expect(browser.queues.get(`workflow-sync:${dead.tabs.clientId}`)?.length).toBe(2)
    expect(list).toHaveBeenCalledTimes(6)
  })

  it.each([
    ['other keys', 'theme', 'dark'],
    ['boxes that are gone', 'workflow-sync:outbox:tab:w', null],
    ['a storage that was cleared', null, null],
  ])('is not looked for because of %s', async (_, key, newValue) => {
    const page = open()
    const list = vi.spyOn(page.outbox, 'list')
    events.dispatchEvent(Object.assign(new Event('storage'), { key, newValue }))
    expect(list).not.toHaveBeenCalled()
  })
})

describe('an adopted box', () => {
  it('stays locked until everything of its tab was sent', async () => {
    const dead = open()
    write(dead, 'w')
    write(dead, 'v')
    await pass(0)
    dead.locks.die()
    const page = open()
    const [mine] = await page.tabs.orphans('w')
    mine?.release()
    mine?.release()
    await pass(0)
    expect(isHeld(dead)).toBe(true)
    page.adopted[0]?.release()
    await pass(0)
    expect(isHeld(dead)).toBe(false)
  })

  it('that was let go with something in it can be adopted again', async () => {
    const dead = open()
    const box = write(dead)
    await pass(0)
    dead.locks.die()
    const page = open()
    const [mine] = await page.tabs.orphans('w')
    expect(await page.tabs.orphans('w')).toEqual([])
    mine?.release()
    await pass(0)
    expect((await page.tabs.orphans('w')).map((orphan) => orphan.box)).toEqual([box])
  })
})

describe('a page that sleeps', () => {
  it('lets its lock go, and takes it back', async () => {
    const page = open()
    await pass(0)
    page.tabs.pause()
    await pass(0)
    expect(isHeld(page)).toBe(false)
    const { clientId } = page.tabs
    expect(await page.tabs.resume()).toBe(true)
    expect(page.tabs.clientId).toBe(clientId)
    expect(isHeld(page)).toBe(true)
  })

  it('wakes once, however often it is told to', async () => {
    const page = open()
    await pass(0)
    const { clientId } = page.tabs
    expect(await page.tabs.resume()).toBe(true)
    page.tabs.pause()
    await pass(0)
    expect(await Promise.all([page.tabs.resume(), page.tabs.resume()])).toEqual([true, true])
    expect(page.tabs.clientId).toBe(clientId)
  })

  it('goes on with its work where nobody touched it', async () => {
    const page = open()
    write(page)
    await pass(0)
    page.tabs.pause()
    await pass(0)
    expect(await page.tabs.resume()).toBe(true)
  })

  it('is a new client where its work is being sent by another', async () => {
    const [page, other] = [open(), open()]
    const box = write(page)
    const { clientId } = page.tabs
    other.tabs.look()
    await pass(0)
    page.tabs.pause()
    await pass(HEAD_START_MS)
    expect(boxes(other)).toEqual([box])
    expect(await page.tabs.resume()).toBe(false)
    page.tabs.renew()
    await pass(0)
    expect(page.tabs.clientId).not.toBe(clientId)
    expect(isHeld(page)).toBe(true)
    expect(browser.queues.get(`workflow-sync:${clientId}`)?.length).toBe(1)
  })

  it.each([
    ['all', (page: Page, { clientId, workflowId }: Box) => page.outbox.remove(clientId, workflowId)],
    [
      'some',
      (page: Page, box: Box) =>
        page.outbox.write({ ...box, segments: box.segments.map((segment) => ({ ...segment, sent: true })) }),
    ],
  ])('is a new client where another sent %s of its work, although that is over', async (_, send) => {
    const [page, other] = [open(), open()]
    const box = write(page)
    await pass(0)
    page.tabs.pause()
    const [orphan] = await other.tabs.orphans('w')
    send(other, box)
    orphan?.release()
    await pass(0)
    expect(await page.tabs.resume()).toBe(false)
    page.tabs.renew()
    await pass(0)
    expect(browser.queues.has(`workflow-sync:${box.clientId}`)).toBe(false)
  })

  it('lets adopted boxes go, too, and then takes back what is left as a new client', async () => {
    const dead = open()
    const box = write(dead)
    await pass(0)
    dead.locks.die()
    const page = open()
    const [orphan] = await page.tabs.orphans('w')
    const own = write(page)
    page.tabs.pause()
    await pass(0)
    expect([isHeld(dead), isHeld(page)]).toEqual([false, false])
    expect(await page.tabs.resume()).toBe(false)
    page.tabs.renew()
    orphan?.release()
    expect((await page.tabs.orphans('w')).map((found) => found.box)).toEqual([box, own])
    orphan?.release()
    expect(isHeld(dead)).toBe(true)
  })

  it("adopts nothing, and stands in nobody's way", async () => {
    const [dead, page] = [open(), open()]
    write(dead)
    page.tabs.look()
    await pass(0)
    page.tabs.pause()
    await pass(0)
    expect(browser.queues.get(`workflow-sync:${dead.tabs.clientId}`)?.length).toBe(1)
    dead.locks.die()
    await pass(HEAD_START_MS)
    expect(boxes(page)).toEqual([])
  })

  it('leaves what it was about to adopt', async () => {
    const [dead, other] = [open(), open()]
    const box = write(dead)
    other.tabs.look()
    await pass(0)
    dead.locks.die()
    await pass(0)
    other.tabs.pause()
    await pass(HEAD_START_MS)
    expect(boxes(other)).toEqual([])
    const page = open()
    vi.spyOn(page.outbox, 'read').mockImplementation(async () => {
      page.tabs.pause()
      return box
    })
    expect(await page.tabs.orphans('w')).toEqual([])
    await pass(0)
    expect(isHeld(dead)).toBe(false)
  })

  it('waits for others again when it is back', async () => {
    const [dead, page] = [open(), open()]
    const box = write(dead)
    page.tabs.look()
    await pass(0)
    page.tabs.pause()
    await pass(0)
    expect(await page.tabs.resume()).toBe(true)
    page.tabs.look()
    await pass(0)
    dead.locks.die()
    await pass(HEAD_START_MS)
    expect(boxes(page)).toEqual([box])
  })
})

describe('whatever tabs do', () => {
  const MOVES = [
    'open',
    'write',
    'die',
    'pause',
    'resume',
    'look',
    'load',
    'send',
    'close',
    'wait',
    'wait long',
  ] as const
  const plan = fc.array(fc.tuple(fc.constantFrom(...MOVES), fc.nat(5)), { maxLength: 40 })
  type State = 'awake' | 'asleep' | 'gone'

  class World {
    readonly states = new Map<Page, State>()

    /** Of each client, how many pages that are awake have its boxes. */
    owners(): Map<string, number> {
      const owners = new Map<string, number>()
      for (const page of this.awake()) {
        for (const id of new Set([page.tabs.clientId, ...page.adopted.map(({ box }) => box.clientId)])) {
          owners.set(id, (owners.get(id) ?? 0) + 1)
        }
      }
      return owners
    }

    awake() {
      return [...this.states].flatMap(([page, state]) => (state === 'awake' ? page : []))
    }

    leave(page: Page, state: State) {
      page.adopted.length = 0
      this.states.set(page, state)
    }
  }

  const send = (page: Page) => {
    for (const { box, release } of page.adopted.splice(0)) {
      page.outbox.remove(box.clientId, box.workflowId)
      release()
    }
  }

  const load = async (page: Page) => {
    const found = await page.tabs.orphans('w')
    page.adopted.push(...found)
  }

  const wake = async (world: World, page: Page) => {
    world.states.set(page, 'awake')
    if (await page.tabs.resume()) return
    page.tabs.renew()
    await load(page)
  }

  const move = async (world: World, kind: (typeof MOVES)[number], index: number) => {
    if (kind === 'wait' || kind === 'wait long') return pass(kind === 'wait' ? 0 : HEAD_START_MS)
    if (kind === 'open') return void world.states.set(open(), 'awake')
    const [page, state] = [...world.states][index] ?? []
    if (!page || state === 'gone') return
    if (kind === 'die') {
      page.locks.die()
      world.leave(page, 'gone')
    }
    if (kind === 'resume' && state === 'asleep') await wake(world, page)
    if (state === 'asleep') return
    if (kind === 'write') write(page)
    if (kind === 'look') void page.tabs.look()
    if (kind === 'load') await load(page)
    if (kind === 'send') send(page)
    if (kind !== 'pause' && kind !== 'close') return
    page.tabs[kind]()
    world.leave(page, kind === 'pause' ? 'asleep' : 'gone')
  }

  it('no box is with two of them, and none is left behind', async () => {
    await fc.assert(
      fc
        .asyncProperty(plan, async (moves) => {
          const world = new World()
          for (const [kind, index] of [['open', 0], ['open', 0], ['open', 0], ...moves] as typeof moves) {
            await move(world, kind, index)
            expect(Math.max(0, ...world.owners().values())).toBeLessThanOrEqual(1)
          }
          const last = open()
          world.states.set(last, 'awake')
          void last.tabs.look()
          await pass(3 * HEAD_START_MS)
          const known = world.owners()
          for (const { clientId } of await last.outbox.list()) expect(known.get(clientId)).toBe(1)
        })
        .beforeEach(() => {
          vi.stubGlobal('indexedDB', new IDBFactory())
          storage = new FakeStorage()
          browser = new FakeBrowser()
        }),
      { numRuns: 60 },
    )
  })
})

describe('without Web Locks', () => {
  const bare = () => open({ hasLocks: false })
  /** Whatever the module remembers of the page is gone when it is loaded again. */
  const reload = async () => {
    vi.resetModules()
    const again = await import('../src/tabs.js')
    const outbox = createOutbox(storage, () => {})
    const adopted: Orphan[] = []
    const onOrphan = (orphan: Orphan) => void adopted.push(orphan)
    const page = {
      tabs: again.createTabs({ outbox, isOurs: () => true, onOrphan }),
      locks: browser.open(),
      outbox,
      adopted,
    }
    pages.push(page)
    return page
  }

  it('a tab adopts what it left itself, over several loads', async () => {
    const box = write(bare())
    await reload()
    const page = await reload()
    const [orphan] = await page.tabs.orphans('w')
    expect(orphan?.box).toEqual(box)
    expect(await page.tabs.orphans('w')).toEqual([])
    orphan?.release()
    expect((await page.tabs.orphans('w')).length).toBe(1)
  })

  it('a tab adopts nothing of other tabs', async () => {
    write(bare())
    vi.stubGlobal('sessionStorage', new FakeStorage())
    const page = await reload()
    page.tabs.look()
    await pass(HEAD_START_MS)
    expect(await page.tabs.orphans('w')).toEqual([])
    expect(boxes(page)).toEqual([])
  })

  it('two clients of one page leave one another alone while they live', async () => {
    const [first, second] = [bare(), bare()]
    const box = write(first)
    expect(await second.tabs.orphans('w')).toEqual([])
    first.tabs.close()
    expect((await second.tabs.orphans('w')).map((orphan) => orphan.box)).toEqual([box])
  })

  it('a page that was asleep goes on', async () => {
    const page = bare()
    write(page)
    page.tabs.pause()
    expect(await page.tabs.resume()).toBe(true)
  })

  it('a page adopts what it left itself when it went on as a new client', async () => {
    vi.stubGlobal('sessionStorage', undefined)
    const page = bare()
    const box = write(page)
    expect(await page.tabs.orphans('w')).toEqual([])
    page.tabs.renew()
    expect((await page.tabs.orphans('w')).map((orphan) => orphan.box)).toEqual([box])
  })

  it('nor a storage for the session, nothing is adopted and nothing fails', async () => {
    vi.stubGlobal('sessionStorage', undefined)
    write(bare())
    expect(await (await reload()).tabs.orphans('w')).toEqual([])
  })
})

describe('locks that are refused', () => {
  it('fail nothing, and adopt nothing', async () => {
    write(open())
    vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(new DOMException('No.', 'SecurityError')) } })
    const adopted: Orphan[] = []
    const onOrphan = (orphan: Orphan) => void adopted.push(orphan)
    const tabs = createTabs({ outbox: createOutbox(storage, () => {}), isOurs: () => true, onOrphan })
    expect(await tabs.orphans('w')).toEqual([])
    tabs.look()
    await pass(HEAD_START_MS)
    expect(adopted).toEqual([])
    tabs.close()
  })
})
