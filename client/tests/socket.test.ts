import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoff } from '../src/backoff.js'
import { webSocketFeed } from '../src/socket.js'
import type { Auth, Feed, GetAuth, Json, Subscription } from '../src/types.js'
import { BrowserSocket, openStage, Page, type Stage, type Visitor } from './sockets.js'

vi.mock(import('../src/backoff.js'), () => ({ backoff: vi.fn(() => 0) }))

const QUERY = 'subscription { workflowSaved(id: "w") { version } }'

let stage: Stage
let page: Page
let feed: Feed
let getAuth: ReturnType<typeof vi.fn<GetAuth>>

beforeEach(async () => {
  page = new Page()
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  vi.stubGlobal('WebSocket', BrowserSocket)
  vi.mocked(backoff).mockReset().mockReturnValue(0)
  getAuth = vi.fn<GetAuth>(() => ({ headers: { Authorization: 'Bearer abc' } }))
  stage = await openStage()
  feed = webSocketFeed({ endpoint: stage.endpoint, getAuth })
})

afterEach(async () => {
  feed.close()
  vi.useRealTimers()
  await stage.close()
})

function listen(variables: () => Readonly<Record<string, Json>> = () => ({})) {
  const subscription = { query: QUERY, variables, next: vi.fn(), end: vi.fn<Subscription<unknown>['end']>() }
  return { ...subscription, stop: feed.subscribe(subscription) }
}

const next = (id: string | undefined, data: object) => ({ id, type: 'next', payload: { data } })
const failed = (id: string | undefined, code: string) => ({
  id,
  type: 'error',
  payload: [{ message: 'No.', extensions: { code } }],
})

/** Wait until the client has read everything: it answers in order. */
async function heard(visitor: Visitor) {
  visitor.say({ type: 'ping' })
  expect(await visitor.frame()).toEqual({ type: 'pong' })
}

/** Wait until the client has noticed that often that a connection was lost. */
const lost = (times: number) => vi.waitUntil(() => vi.mocked(backoff).mock.calls.length === times)

/** Fake time, while the network stays real. */
const takeTime = () =>
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })

describe('connecting', () => {
  it('signs in with the headers of getAuth, by the protocol, at the endpoint', async () => {
    listen()
    const visitor = await stage.acknowledged()
    expect(visitor).toMatchObject({ path: '/graphql', protocol: 'graphql-transport-ws' })
    expect(visitor.signIn).toEqual({ Authorization: 'Bearer abc' })
  })

  it('sends nothing to sign in with where the cookie does', async () => {
    getAuth.mockReturnValue({})
    listen()
    expect((await stage.acknowledged()).signIn).toBeUndefined()
  })

  it.each([
    ['/graphql', 'https://example.org/app/page', 'wss://example.org/graphql'],
    ['http://127.0.0.1:8000/graphql', 'https://example.org/', 'ws://127.0.0.1:8000/graphql'],
  ])('finds the socket of %s from %s at %s', async (endpoint, href, expected) => {
    const asked = new Promise<string>((resolve) => {
      vi.stubGlobal('location', { href })
      vi.stubGlobal('WebSocket', function (url: URL) {
        resolve(String(url))
        throw new Error('A page like this may not.')
      })
    })
    feed = webSocketFeed({ endpoint, getAuth })
    listen()
    expect(await asked).toBe(expected)
  })

  it('connects only once there is something to hear', async () => {
    expect(getAuth).not.toHaveBeenCalled()
    listen()
    await stage.acknowledged()
    expect(getAuth).toHaveBeenCalledOnce()
  })

  it('tells whether the connection stands', async () => {
    const watcher = vi.fn()
    const stop = feed.watch(watcher)
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    visitor.close(1012)
    await (await stage.acknowledged()).frame()
    expect(watcher.mock.calls).toEqual([[false], [true], [false], [true]])
    stop()
    feed.close()
    expect(watcher).toHaveBeenCalledTimes(4)
  })

  it('is never connected where there are no WebSockets', () => {
    vi.stubGlobal('WebSocket', undefined)
    feed = webSocketFeed({ endpoint: '/graphql', getAuth })
    const watcher = vi.fn()
    feed.watch(watcher)
    listen()
    feed.resume()
    expect(watcher.mock.calls).toEqual([[false]])
    expect(getAuth).not.toHaveBeenCalled()
  })
})

describe('hearing', () => {
  it('hands on what comes, to each subscription its own', async () => {
    const [first, second] = [listen(() => ({ id: 'a' })), listen(() => ({ id: 'b' }))]
    const visitor = await stage.acknowledged()
    const [a, b] = [await visitor.frame(), await visitor.frame()]
    expect(a).toMatchObject({ type: 'subscribe', payload: { query: QUERY, variables: { id: 'a' } } })
    expect(b).toMatchObject({ type: 'subscribe', payload: { query: QUERY, variables: { id: 'b' } } })
    visitor.say(next(b.id, { version: 2 }))
    visitor.say(next(a.id, { version: 1 }))
    await vi.waitFor(() => expect(first.next).toHaveBeenCalledWith({ version: 1 }))
    expect(second.next.mock.calls).toEqual([[{ version: 2 }]])
    expect(stage.unseen()).toBe(0)
  })

  it('begins a subscription at once on a connection that stands', async () => {
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    listen(() => ({ id: 'late' }))
    expect(await visitor.frame()).toMatchObject({ type: 'subscribe', payload: { variables: { id: 'late' } } })
  })

  it('tells the server what is no longer listened to, and hears no more of it', async () => {
    const [first, second] = [listen(), listen()]
    const visitor = await stage.acknowledged()
    const [{ id }, { id: other }] = [await visitor.frame(), await visitor.frame()]
    first.stop()
    expect(await visitor.frame()).toEqual({ id, type: 'complete' })
    visitor.say(next(id, { version: 1 }))
    visitor.say(next(other, { version: 1 }))
    await vi.waitFor(() => expect(second.next).toHaveBeenCalled())
    expect(first.next).not.toHaveBeenCalled()
  })

  it('asks for nothing that was given up before the connection stood', async () => {
    const given = listen(() => ({ id: 'given up' }))
    listen(() => ({ id: 'kept' }))
    const visitor = await stage.visitor()
    await visitor.frame()
    given.stop()
    visitor.say({ type: 'connection_ack' })
    expect(await visitor.frame()).toMatchObject({ type: 'subscribe', payload: { variables: { id: 'kept' } } })
  })

  it.each(['RESYNC_REQUIRED', 'ACCESS_REVOKED', 'NOT_FOUND'])(
    'ends a subscription with %s, and does not begin it again',
    async (code) => {
      const [revoked, other] = [listen(), listen(() => ({ id: 'other' }))]
      const visitor = await stage.acknowledged()
      visitor.say(failed((await visitor.frame()).id, code))
      await vi.waitFor(() => expect(revoked.end).toHaveBeenCalledWith({ code, message: 'No.' }))
      visitor.close(1012)
      expect(await (await stage.acknowledged()).frame()).toMatchObject({ payload: { variables: { id: 'other' } } })
      expect(other.end).not.toHaveBeenCalled()
    },
  )

  it('ends a subscription that the server completed', async () => {
    const { end } = listen()
    const visitor = await stage.acknowledged()
    visitor.say({ id: (await visitor.frame()).id, type: 'complete' })
    await vi.waitFor(() => expect(end).toHaveBeenCalledWith(null))
  })

  it('tries again what the server could not do, by an error or in place of an event', async () => {
    const { end, next } = listen()
    const first = await stage.acknowledged()
    first.say(failed((await first.frame()).id, 'INTERNAL_SERVER_ERROR'))
    const second = await stage.acknowledged()
    const errors = [{ message: 'No.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }]
    second.say({ id: (await second.frame()).id, type: 'next', payload: { data: null, errors } })
    expect(await (await stage.acknowledged()).frame()).toMatchObject({ type: 'subscribe' })
    expect(end).not.toHaveBeenCalled()
    expect(next).not.toHaveBeenCalled()
  })
})

describe('mending', () => {
  it.each([1001, 1006, 1011, 1012, 1013, 4400, 4408])(
    'connects again after code %i, and each stream goes on where it ended',
    async (code) => {
      let version = 3
      listen(() => ({ sinceVersion: version }))
      const visitor = await stage.acknowledged()
      expect(await visitor.frame()).toMatchObject({ payload: { variables: { sinceVersion: 3 } } })
      version = 7
      visitor.close(code)
      expect(await (await stage.acknowledged()).frame()).toMatchObject({ payload: { variables: { sinceVersion: 7 } } })
      expect(getAuth).toHaveBeenLastCalledWith({ refresh: false })
    },
  )

  it('waits longer the more often it failed', async () => {
    listen()
    for (const failures of [0, 1, 2]) {
      const visitor = await stage.visitor()
      expect(backoff).toHaveBeenCalledTimes(failures)
      visitor.close(1013)
    }
    await stage.visitor()
    expect(vi.mocked(backoff).mock.calls).toEqual([[0], [1], [2]])
  })

  it('counts a connection that stood for long as mended, one that was lost soon as not', async () => {
    takeTime()
    listen()
    for (const [before, stood] of [0, 0, 10_000].entries()) {
      const visitor = await stage.acknowledged()
      await visitor.frame()
      vi.setSystemTime(Date.now() + stood)
      visitor.close(1012)
      await lost(before + 1)
    }
    expect(vi.mocked(backoff).mock.calls).toEqual([[0], [1], [0]])
  })

  it.each([4401, 4403])(
    'refreshes the sign-in at once after %i, and by and by where that did not help',
    async (code) => {
      listen()
      ;(await stage.visitor()).close(code)
      const second = await stage.visitor()
      expect(getAuth.mock.calls).toEqual([[{ refresh: false }], [{ refresh: true }]])
      expect(backoff).not.toHaveBeenCalled()
      second.close(code)
      await stage.acknowledged()
      expect(backoff).toHaveBeenCalledOnce()
    },
  )

  it('still refreshes a sign-in that was refused where the connection was then lost for another reason', async () => {
    listen()
    ;(await stage.visitor()).close(4403)
    ;(await stage.visitor()).close(1013)
    await stage.visitor()
    expect(getAuth).toHaveBeenLastCalledWith({ refresh: true })
  })

  it('does not refresh a sign-in that was accepted meanwhile', async () => {
    listen()
    ;(await stage.visitor()).close(4403)
    const accepted = await stage.acknowledged()
    await accepted.frame()
    accepted.close(1012)
    await stage.visitor()
    expect(getAuth).toHaveBeenLastCalledWith({ refresh: false })
  })

  it.each<[string, GetAuth]>([
    ['says that nobody is signed in', () => null],
    ['rejects', () => Promise.reject(new Error('Offline.'))],
    [
      'throws',
      () => {
        throw new Error('Broken.')
      },
    ],
  ])('tries again by and by where getAuth %s', async (_, answer) => {
    getAuth.mockImplementationOnce(answer)
    listen()
    await stage.acknowledged()
    expect(getAuth).toHaveBeenCalledTimes(2)
    expect(backoff).toHaveBeenCalledOnce()
  })

  it('connects at once when the network is back or the page is seen again', async () => {
    vi.mocked(backoff).mockReturnValue(1_000_000)
    listen()
    ;(await stage.visitor()).close(1013)
    await lost(1)
    page.online()
    ;(await stage.visitor()).close(1013)
    await lost(2)
    page.show(true)
    await stage.visitor()
  })

  it('does not connect once more when the time has come that it did not wait for', async () => {
    takeTime()
    vi.mocked(backoff).mockReturnValue(1_000)
    listen()
    ;(await stage.visitor()).close(1013)
    await lost(1)
    page.online()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    vi.advanceTimersByTime(1_000)
    await heard(visitor)
    expect(stage.unseen()).toBe(0)
  })

  it('does not connect again where there is nothing to hear any more', async () => {
    takeTime()
    const { stop } = listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    stop()
    visitor.close(1012)
    await lost(1)
    vi.advanceTimersByTime(1)
    expect(getAuth).toHaveBeenCalledOnce()
  })
})

describe('silence', () => {
  it('answers the pings of the server', async () => {
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    visitor.say({ type: 'ping' })
    expect(await visitor.frame()).toEqual({ type: 'pong' })
  })

  it('asks after twenty seconds whether the server is there, and again after the next twenty', async () => {
    takeTime()
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    for (const _ of [1, 2]) {
      vi.advanceTimersByTime(22_000)
      expect(await visitor.frame()).toEqual({ type: 'ping' })
      visitor.say({ type: 'pong' })
      await heard(visitor)
    }
  })

  it.each(['a ping', 'the sign-in'])('gives up a connection that does not answer %s', async (asked) => {
    takeTime()
    listen()
    const visitor = asked === 'a ping' ? await stage.acknowledged() : await stage.visitor()
    await visitor.frame()
    if (asked === 'a ping') {
      vi.advanceTimersByTime(22_000)
      await visitor.frame()
    }
    vi.advanceTimersByTime(12_000)
    expect(await visitor.ended).toBe(1005)
    vi.advanceTimersByTime(0)
    await stage.visitor()
  })

  it('asks at once when the network is back, the page is seen again, or the computer has slept', async () => {
    takeTime()
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    const wake = [page.online, () => page.show(true), () => sleep(3_600_000)]
    for (const event of wake) {
      vi.advanceTimersByTime(1)
      event()
      expect(await visitor.frame()).toEqual({ type: 'ping' })
      visitor.say({ type: 'pong' })
      await heard(visitor)
    }
  })

  it('does not ask when the page is hidden', async () => {
    takeTime()
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    vi.advanceTimersByTime(1)
    page.show(false)
    await heard(visitor)
  })

  /** Time goes on for the clock alone; timers follow later. */
  function sleep(ms: number) {
    vi.setSystemTime(Date.now() + ms)
    vi.advanceTimersByTime(2_000)
  }
})

describe('a sign-in that ends', () => {
  const auth = (token: string, lastsMs: number): Auth => ({
    headers: { Authorization: token },
    expiresAt: Date.now() + lastsMs,
  })

  it('is renewed half a minute before, and each stream goes on where it ended', async () => {
    takeTime()
    getAuth.mockReturnValueOnce(auth('old', 60_000))
    let version = 1
    listen(() => ({ sinceVersion: version }))
    const old = await stage.acknowledged()
    await old.frame()
    version = 2
    getAuth.mockReturnValueOnce(auth('new', 600_000))
    vi.advanceTimersByTime(20_000)
    expect(await old.frame()).toEqual({ type: 'ping' })
    await heard(old)
    vi.advanceTimersByTime(8_000)
    expect(getAuth).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(2_000)
    const renewed = await stage.acknowledged()
    expect(renewed.signIn).toEqual({ Authorization: 'new' })
    expect(await renewed.frame()).toMatchObject({ type: 'subscribe', payload: { variables: { sinceVersion: 2 } } })
    expect(await old.ended).toBe(1005)
    expect(getAuth).toHaveBeenLastCalledWith({ refresh: false })
    expect(backoff).not.toHaveBeenCalled()
  })

  it('is renewed halfway where it is short, and kept to its end where there is no later one', async () => {
    takeTime()
    getAuth.mockReturnValue(auth('only', 30_000))
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    vi.advanceTimersByTime(12_000)
    expect(getAuth).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(6_000)
    expect(getAuth).toHaveBeenCalledTimes(2)
    await heard(visitor)
    expect(stage.unseen()).toBe(0)
  })

  it('is asked for by and by, once the connection is lost', async () => {
    takeTime()
    vi.mocked(backoff).mockReturnValue(1_000_000)
    getAuth.mockReturnValue(auth('only', 30_000))
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    visitor.close(1012)
    await lost(1)
    vi.advanceTimersByTime(60_000)
    expect(getAuth).toHaveBeenCalledOnce()
  })
})

describe('letting go', () => {
  it('lets the connection go in a pause, and takes it back', async () => {
    const watcher = vi.fn()
    feed.watch(watcher)
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    feed.pause()
    expect(watcher).toHaveBeenLastCalledWith(false)
    await visitor.ended
    page.online()
    listen()
    expect(getAuth).toHaveBeenCalledOnce()
    feed.resume()
    const resumed = await stage.acknowledged()
    expect([await resumed.frame(), await resumed.frame()]).toMatchObject([{ type: 'subscribe' }, { type: 'subscribe' }])
  })

  it('keeps the connection where there was no pause to end', async () => {
    listen()
    const visitor = await stage.acknowledged()
    await visitor.frame()
    feed.resume()
    await heard(visitor)
    expect(getAuth).toHaveBeenCalledOnce()
  })

  it('does not connect when the sign-in comes after the pause', async () => {
    BrowserSocket.opened = 0
    let answer = (_: Auth) => {}
    getAuth.mockReturnValueOnce(new Promise<Auth>((resolve) => (answer = resolve)))
    listen()
    feed.pause()
    answer({ headers: { Authorization: 'late' } })
    feed.resume()
    expect((await stage.acknowledged()).signIn).toEqual({ Authorization: 'Bearer abc' })
    expect(BrowserSocket.opened).toBe(1)
  })

  it('hears nothing more once closed, and leaves no listener and no timer behind', async () => {
    takeTime()
    const { next: heard } = listen()
    const visitor = await stage.acknowledged()
    const { id } = await visitor.frame()
    visitor.say(next(id, { version: 1 }))
    feed.close()
    await visitor.ended
    page.online()
    page.show(true)
    feed.resume()
    expect(heard).not.toHaveBeenCalled()
    expect(getAuth).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })
})
