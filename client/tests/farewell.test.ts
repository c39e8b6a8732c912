// @vitest-environment jsdom
import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFarewell, type Farewell, type Letter } from '../src/farewell.js'
import { createRequest } from '../src/request.js'
import type { GetAuth } from '../src/types.js'

type Init = RequestInit & { readonly headers: Record<string, string>; readonly signal: AbortSignal }

let sent: Init[]
let queued: Init[]
let beacons: [string, unknown][]
let idle: (() => Promise<void>)[]
let said: string[]
let farewell: Farewell
let answer: () => Promise<Response>

beforeEach(() => {
  sent = []
  queued = []
  beacons = []
  idle = []
  said = []
  answer = async () => new Response('{"data":{"a":1}}')
  vi.stubGlobal('fetch', (_: string, init: Init) => {
    sent.push(init)
    return answer()
  })
  vi.stubGlobal('fetchLater', (_: string, init: Init) => void queued.push(init))
  vi.stubGlobal('requestIdleCallback', (run: () => Promise<void>) => idle.push(run))
  const sendBeacon = (url: URL, data: unknown) => Boolean(beacons.push([String(url), data]))
  vi.stubGlobal('navigator', { sendBeacon })
  farewell = open()
})

afterEach(() => farewell.close())

const say = (word: string) => () => void said.push(word)
const open = (getAuth: GetAuth = () => ({})) => {
  const request = createRequest({ endpoint: '/base/graphql', getAuth })
  request.signed({ data: '', bytes: 0 })
  const handlers = { leave: say('leave'), pause: say('pause'), resume: say('resume'), look: say('look') }
  return createFarewell('/base/graphql', request, handlers)
}
const reopen = (getAuth: GetAuth) => {
  farewell.close()
  farewell = open(getAuth)
}

const letter = (value: string): Letter => ({ query: '{ a }', variables: { value }, save: { id: 'w', value } })
const textOf = (value: string) => JSON.stringify({ query: '{ a }', variables: { value } })
const unzipped = (init: Init | undefined) => gunzipSync(new Uint8Array(init?.body as ArrayBuffer)).toString()
const small = letter('x')
const LARGE = 'x'.repeat(100_000)
const large = letter(LARGE)
/** It zips badly. */
const NOISE = randomBytes(80_000).toString('base64')
const live = () => queued.filter(({ signal }) => !signal.aborted)

const dispatch = (target: EventTarget, type: string, members = {}) => {
  const event = Object.assign(new Event(type, { cancelable: true }), members)
  target.dispatchEvent(event)
  return event
}
const turn = (isHidden: boolean) => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden)
  dispatch(document, 'visibilitychange')
}

describe('a page', () => {
  it('that is hidden sends, and one that is visible again looks', () => {
    turn(true)
    expect(said).toEqual(['leave'])
    turn(false)
    expect(said).toEqual(['leave', 'look'])
  })

  it('that is frozen sends, and one that is not any more looks', () => {
    dispatch(document, 'freeze')
    dispatch(document, 'resume')
    expect(said).toEqual(['leave', 'look'])
  })

  it('that is left sends before it lets go', () => {
    dispatch(window, 'pagehide')
    expect(said).toEqual(['leave', 'pause'])
  })

  it('comes back from the bfcache only', () => {
    dispatch(window, 'pageshow', { persisted: false })
    expect(said).toEqual([])
    dispatch(window, 'pageshow', { persisted: true })
    expect(said).toEqual(['resume'])
  })

  it('asks before it is closed only while something is unsaved, and sends meanwhile', () => {
    expect(dispatch(window, 'beforeunload').defaultPrevented).toBe(false)
    farewell.prompt(true)
    farewell.prompt(true)
    expect(dispatch(window, 'beforeunload').defaultPrevented).toBe(true)
    expect(said).toEqual(['leave'])
    farewell.prompt(false)
    expect(dispatch(window, 'beforeunload').defaultPrevented).toBe(false)
    expect(said).toEqual(['leave'])
  })

  it('may be made on a server, where there is no page', () => {
    for (const name of ['document', 'window', 'addEventListener', 'removeEventListener']) vi.stubGlobal(name, undefined)
    const elsewhere = open()
    elsewhere.prompt(true)
    elsewhere.close()
  })

  it('is heard no more once it is closed', () => {
    farewell.prompt(true)
    farewell.prepare(small)
    farewell.close()
    expect(dispatch(window, 'beforeunload').defaultPrevented).toBe(false)
    dispatch(window, 'pagehide')
    dispatch(document, 'freeze')
    turn(true)
    expect(said).toEqual([])
    expect(live()).toEqual([])
  })
})

describe('the last letter', () => {
  it('is sent before this returns, kept alive, and answered', async () => {
    const promise = farewell.sendLast(small)
    expect(sent).toMatchObject([{ body: textOf('x'), keepalive: true }])
    expect(await promise).toEqual({ a: 1 })
    expect(beacons).toEqual([])
  })

  it('that is too large goes out zipped, where that was made ready while nothing else was to do', async () => {
    farewell.prepare(large)
    expect(idle.length).toBe(1)
    await idle[0]?.()
    await farewell.sendLast(large)
    expect(sent).toMatchObject([{ keepalive: true, headers: { 'Content-Encoding': 'gzip' } }])
    expect(unzipped(sent[0])).toBe(textOf(LARGE))
    expect(beacons).toEqual([])
  })

  it('may be sent twice, zipped, without being made ready again', async () => {
    farewell.prepare(large)
    await idle[0]?.()
    await farewell.sendLast(large)
    await farewell.sendLast(large)
    expect(sent.map((init) => unzipped(init))).toEqual([textOf(LARGE), textOf(LARGE)])
  })

  it('is never another one that was made ready', async () => {
    farewell.prepare(large)
    await idle[0]?.()
    const other = letter(`${LARGE}!`)
    await farewell.sendLast(other)
    expect(sent).toMatchObject([{ body: textOf(`${LARGE}!`), keepalive: false }])
  })

  it('that is too large and not ready goes out as an ordinary request, and as a beacon', async () => {
    farewell.prepare(large)
    expect(await farewell.sendLast(large)).toEqual({ a: 1 })
    expect(sent).toMatchObject([{ body: textOf(LARGE), keepalive: false }])
    expect(beacons).toEqual([[`${location.origin}/base/api/workflows/sync`, JSON.stringify(large.save)]])
  })

  it('that is too large although it is zipped goes out so, and as a beacon', async () => {
    const noisy = letter(NOISE)
    farewell.prepare(noisy)
    await idle[0]?.()
    await farewell.sendLast(noisy)
    expect(sent).toMatchObject([{ keepalive: false, headers: { 'Content-Encoding': 'gzip' } }])
    expect(beacons.length).toBe(1)
  })

  it('goes out as a beacon, too, where it is not known in time what to sign it with', async () => {
    let tell = (_: object) => {}
    reopen(
      () =>
        new Promise((resolve) => {
          tell = resolve
        }),
    )
    const promise = farewell.sendLast(small)
    expect(sent).toEqual([])
    expect(beacons).toEqual([[`${location.origin}/base/api/workflows/sync`, JSON.stringify(small.save)]])
    tell({})
    expect(await promise).toEqual({ a: 1 })
  })

  it('of several saves is never a beacon', async () => {
    const { query, variables } = large
    await farewell.sendLast({ query, variables })
    expect(beacons).toEqual([])
  })

  it('is sent where there are no beacons', async () => {
    vi.stubGlobal('navigator', {})
    expect(await farewell.sendLast(large)).toEqual({ a: 1 })
  })

  it('fails like any request', async () => {
    answer = () => Promise.reject(new TypeError('Failed to fetch'))
    await expect(farewell.sendLast(small)).rejects.toMatchObject({ code: 'OFFLINE' })
  })

  it('shares with other requests what a page may still send', async () => {
    const half = letter('x'.repeat(40_000))
    farewell.prepare(half)
    const replies: (() => void)[] = []
    answer = () => new Promise((resolve) => replies.push(() => resolve(new Response('{"data":{}}'))))
    const first = farewell.sendLast(half)
    const second = farewell.sendLast(letter('y'.repeat(40_000)))
    expect(sent.map(({ keepalive }) => keepalive)).toEqual([true, false])
    for (const reply of replies) reply()
    await second
    await first
  })
})

describe('a page that dies without a word', () => {
  it('has had the browser queue the newest letter, instead of the one before', () => {
    farewell.prepare(letter('x'))
    farewell.prepare(letter('y'))
    expect(queued.length).toBe(2)
    expect(live()).toMatchObject([{ method: 'POST', credentials: 'include', body: textOf('y') }])
  })

  it('has nothing queued once a save took it, or it was sent', async () => {
    farewell.prepare(small)
    farewell.prepare(null)
    expect(live()).toEqual([])
    farewell.prepare(small)
    await farewell.sendLast(small)
    expect(live()).toEqual([])
  })

  it('has nothing old queued where the newest is too large', () => {
    farewell.prepare(small)
    farewell.prepare(large)
    expect(live()).toEqual([])
  })

  it('has nothing queued while it is not known what to sign it with; that is asked for', async () => {
    const getAuth = vi.fn(async () => ({}))
    reopen(getAuth)
    farewell.prepare(small)
    expect(queued).toEqual([])
    await vi.waitFor(() => expect(getAuth.mock.settledResults[0]?.type).toBe('fulfilled'))
    farewell.prepare(small)
    expect(live().length).toBe(1)
  })

  it.each([
    ['has none', undefined],
    [
      'has no room',
      () => {
        throw new DOMException('No.', 'QuotaExceededError')
      },
    ],
  ])('is no worse off where the browser %s', (_, fetchLater) => {
    vi.stubGlobal('fetchLater', fetchLater)
    farewell.prepare(small)
    expect(queued).toEqual([])
  })
})

describe('zipping', () => {
  it('is done for the newest letter only, and once', async () => {
    farewell.prepare(letter(`${LARGE}!`))
    farewell.prepare(large)
    farewell.prepare(large)
    expect(idle.length).toBe(2)
    const zip = vi.fn()
    class Counted extends CompressionStream {
      constructor(format: CompressionFormat) {
        super(format)
        zip()
      }
    }
    vi.stubGlobal('CompressionStream', Counted)
    await Promise.all(idle.map((run) => run()))
    expect(zip).toHaveBeenCalledTimes(1)
    await farewell.sendLast(large)
    expect(unzipped(sent[0])).toBe(textOf(LARGE))
  })

  it('of an older letter is not what goes out as the newest', async () => {
    farewell.prepare(letter(`${LARGE}!`))
    await idle[0]?.()
    farewell.prepare(large)
    await farewell.sendLast(large)
    expect(sent).toMatchObject([{ body: textOf(LARGE) }])
  })

  it('of an older letter that ends late does not count', async () => {
    farewell.prepare(letter(`${LARGE}!`))
    const older = idle[0]?.()
    farewell.prepare(large)
    await older
    await farewell.sendLast(large)
    expect(sent).toMatchObject([{ body: textOf(LARGE) }])
  })

  it('does not wait for long where the browser is never idle', async () => {
    const waits: unknown[] = []
    vi.stubGlobal('requestIdleCallback', (_: unknown, options?: IdleRequestOptions) => waits.push(options?.timeout))
    farewell.prepare(large)
    expect(waits).toEqual([expect.any(Number)])
  })

  it('is done a little later where the browser does not say when it is idle', async () => {
    vi.stubGlobal('requestIdleCallback', undefined)
    farewell.prepare(large)
    await vi.waitFor(async () => {
      await farewell.sendLast(large)
      expect(sent.at(-1)).toMatchObject({ headers: { 'Content-Encoding': 'gzip' } })
    })
  })
})
