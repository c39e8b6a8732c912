import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createPresence, type Room } from '../src/presence.js'
import type { Presence } from '../src/contract.js'
import type { Feed, Subscription } from '../src/types.js'
import { faults } from './contract.js'

/** A feed whose server is the test. */
function playFeed() {
  const open = new Set<Subscription<never>>()
  const watchers = new Set<(isConnected: boolean) => void>()
  const nothing = () => {}
  const feed: Feed = {
    subscribe: (subscription) => {
      expect(faults(subscription.query)).toEqual([])
      open.add(subscription)
      return () => void open.delete(subscription)
    },
    watch: (watcher) => {
      watchers.add(watcher)
      watcher(true)
      return () => void watchers.delete(watcher)
    },
    pause: nothing,
    resume: nothing,
    close: nothing,
  }
  const find = (kind: string) => [...open].filter(({ query }) => query.startsWith(kind))
  return {
    feed,
    told: () => find('mutation').map(({ variables }) => variables()),
    answer: () =>
      find('mutation').forEach((each) => {
        open.delete(each)
        each.end(null)
      }),
    say: (presence: readonly Presence[]) => find('subscription').forEach(({ next }) => next({ presence } as never)),
    refuse: () => find('subscription').forEach(({ end }) => end({ code: 'ACCESS_REVOKED', message: 'No.' })),
    connect: (isConnected: boolean) => watchers.forEach((watcher) => watcher(isConnected)),
    isLetGo: () => !open.size && !watchers.size,
  }
}

const someone = (clientId: string, state: Presence['state'] = null): Presence => ({
  clientId,
  userId: 'u',
  name: 'Ada',
  state,
  at: '2026-01-02T03:04:05Z',
})

let server: ReturnType<typeof playFeed>
let room: Room

beforeEach(() => {
  vi.useFakeTimers()
  server = playFeed()
  room = createPresence({ workflowId: 'w', clientId: 'me', feed: server.feed })
  return () => vi.useRealTimers()
})

const GATHER_MS = 50
const told = (state: unknown) => ({ id: 'w', clientId: 'me', state })

describe('who is there', () => {
  it('is the others, and each change is told', () => {
    const listener = vi.fn()
    const stop = room.subscribe(listener)
    server.say([someone('me'), someone('them', { x: 1 })])
    expect(room.getSnapshot()).toEqual([someone('them', { x: 1 })])
    expect(listener).toHaveBeenCalledOnce()
    stop()
    server.say([someone('me')])
    expect(room.getSnapshot()).toEqual([])
    expect(listener).toHaveBeenCalledOnce()
  })

  it('stays the same object until it changes', () => {
    server.say([someone('them')])
    expect(room.getSnapshot()).toBe(room.getSnapshot())
    const before = room.getSnapshot()
    server.say([someone('them')])
    expect(room.getSnapshot()).not.toBe(before)
  })

  it.each([
    ['the connection is lost', () => server.connect(false)],
    ['the workflow may not be seen any more', () => server.refuse()],
  ])('is nobody once %s', (_, event) => {
    server.say([someone('them')])
    const listener = vi.fn()
    room.subscribe(listener)
    event()
    expect(room.getSnapshot()).toEqual([])
    expect(listener).toHaveBeenCalledOnce()
  })
})

describe('what the others see', () => {
  it('is told after a moment, the newest alone', () => {
    room.set({ x: 1 })
    room.set({ x: 2 })
    expect(server.told()).toEqual([])
    vi.advanceTimersByTime(GATHER_MS)
    expect(server.told()).toEqual([told({ x: 2 })])
  })

  it('is told one at a time, so that an old one never comes last', () => {
    room.set({ x: 1 })
    vi.advanceTimersByTime(GATHER_MS)
    room.set({ x: 2 })
    vi.advanceTimersByTime(10 * GATHER_MS)
    expect(server.told()).toHaveLength(1)
    server.answer()
    vi.advanceTimersByTime(GATHER_MS)
    expect(server.told()).toEqual([told({ x: 2 })])
    server.answer()
    vi.advanceTimersByTime(GATHER_MS)
    expect(server.told()).toEqual([])
  })

  it('is told again where the server has forgotten it', () => {
    room.set({ x: 1 })
    vi.advanceTimersByTime(GATHER_MS)
    server.answer()
    server.say([someone('me', { x: 1 })])
    vi.advanceTimersByTime(GATHER_MS)
    expect(server.told()).toEqual([])
    server.say([someone('me')])
    vi.advanceTimersByTime(GATHER_MS)
    expect(server.told()).toEqual([told({ x: 1 })])
  })
})

it('leaves when it is closed', () => {
  room.set({ x: 1 })
  vi.advanceTimersByTime(GATHER_MS)
  room.close()
  expect(server.isLetGo()).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
