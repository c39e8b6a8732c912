import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRequest, fits, isPassing, plain, SyncError, zip } from '../src/request.js'
import type { Auth, GetAuth } from '../src/types.js'

interface Call {
  readonly url: string
  readonly init: RequestInit & { readonly headers: Record<string, string> }
  readonly answer: (response: Response) => void
  readonly fail: (error: Error) => void
}

let calls: Call[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
  calls = []
  vi.stubGlobal('fetch', (url: string, init: Call['init']) => {
    return new Promise<Response>((answer, fail) => calls.push({ url, init, answer, fail }))
  })
})

afterEach(() => {
  for (const call of calls) call.fail(new TypeError('The test is over.'))
  vi.useRealTimers()
})

const call = (index: number): Call => {
  const found = calls[index]
  if (!found) throw new Error(`There is no request ${index}.`)
  return found
}
const json = (value: unknown, status = 200, headers = {}) => new Response(JSON.stringify(value), { status, headers })
const fault = (code: string, status = 200) =>
  json({ data: null, errors: [{ message: 'No.', extensions: { code } }] }, status)
const failure = (promise: Promise<unknown>): Promise<SyncError> =>
  promise.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error: SyncError) => error,
  )
const connect = (getAuth: GetAuth = () => ({ headers: { Authorization: 'Bearer a' } })) =>
  createRequest({ endpoint: '/graphql', getAuth })
const signature = (index: number) => call(index).init.headers['Authorization']
const large = 'x'.repeat(40 * 1024)

describe('one operation', () => {
  it('is posted as JSON with cookies and what it is signed with, and gives the data', async () => {
    const answer = connect()('{ a }', { b: 1 })
    expect(call(0).url).toBe('/graphql')
    expect(call(0).init).toMatchObject({
      method: 'POST',
      credentials: 'include',
      headers: { Authorization: 'Bearer a', 'Content-Type': 'application/json' },
      body: '{"query":"{ a }","variables":{"b":1}}',
      keepalive: true,
    })
    call(0).answer(json({ data: { a: 2 } }))
    expect(await answer).toEqual({ a: 2 })
  })

  it('can be made ready before, zipped', async () => {
    const body = await zip(plain('{ a }', { b: large }))
    expect(body.bytes).toBeLessThan(500)
    connect()('{ a }', { b: large }, { body }).catch(() => {})
    expect(call(0).init.headers['Content-Encoding']).toBe('gzip')
    const sent = gunzipSync(new Uint8Array(call(0).init.body as ArrayBuffer)).toString()
    expect(JSON.parse(sent)).toEqual({ query: '{ a }', variables: { b: large } })
  })

  it('is sent as it is where the browser cannot zip', async () => {
    vi.stubGlobal('CompressionStream', undefined)
    const body = plain('{ a }', {})
    expect(await zip(body)).toBe(body)
  })

  it('is given up when nothing answers for two minutes', async () => {
    vi.useFakeTimers()
    const error = failure(connect()('{ a }', {}))
    await vi.advanceTimersByTimeAsync(120_000)
    expect(await error).toMatchObject({ code: 'OFFLINE' })
    expect(call(0).init.signal?.aborted).toBe(true)
  })

  it('is given up by a page that is back from the bfcache, as some browsers never end it', async () => {
    const events = new EventTarget()
    vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
    vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
    const show = (persisted: boolean) => events.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
    const request = connect()
    const error = failure(request('{ a }', {}))
    show(false)
    expect(call(0).init.signal?.aborted).toBe(false)
    show(true)
    expect(await error).toMatchObject({ code: 'OFFLINE' })
    const answer = request('{ a }', {})
    call(1).answer(json({ data: { a: 2 } }))
    expect(await answer).toEqual({ a: 2 })
  })
})

describe('what a page that is left may carry', () => {
  it('is counted in bytes over all requests in flight, and given back once the body was read', async () => {
    const request = connect()
    const first = request('{ a }', { large })
    const second = request('{ a }', { large })
    expect([call(0).init.keepalive, call(1).init.keepalive]).toEqual([true, false])
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    call(0).answer(new Response(readable))
    const writer = writable.getWriter()
    await writer.write(new TextEncoder().encode('{"data":'))
    expect(fits(plain('{ a }', { large }))).toBe(false)
    await writer.write(new TextEncoder().encode('{}}'))
    await writer.close()
    await first
    expect(fits(plain('{ a }', { large }))).toBe(true)
    call(1).answer(json({ data: {} }))
    await second
  })

  it('is shared by all clients of the page', () => {
    connect()('{ a }', { large }).catch(() => {})
    connect()('{ a }', { large }).catch(() => {})
    expect(call(1).init.keepalive).toBe(false)
  })

  it('counts bytes, not characters', () => {
    expect(fits(plain('', { large: 'é'.repeat(31 * 1024) }))).toBe(false)
    expect(fits(plain('', { large: 'e'.repeat(31 * 1024) }))).toBe(true)
  })

  it('is given back when the network fails, also in the middle of a body', async () => {
    const request = connect()
    const first = failure(request('{ a }', { large }))
    call(0).fail(new TypeError('Failed to fetch'))
    await first
    const second = failure(request('{ a }', { large }, { keepalive: true }))
    call(1).answer(
      new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('broken')) })),
    )
    expect((await second).code).toBe('OFFLINE')
    expect(fits(plain('{ a }', { large }))).toBe(true)
  })

  it('is not relied on again right after it failed, except by a page that is being left', async () => {
    const request = connect()
    const first = failure(request('{ a }', {}))
    call(0).fail(new TypeError('Failed to fetch'))
    await first
    const second = request('{ a }', {})
    request('{ a }', {}, { keepalive: true }).catch(() => {})
    expect([call(1).init.keepalive, call(2).init.keepalive]).toEqual([false, true])
    call(1).answer(json({ data: {} }))
    await second
    request('{ a }', {}).catch(() => {})
    expect(call(3).init.keepalive).toBe(true)
  })

  it('is left alone by a request that may end with the page', () => {
    connect()('{ a }', {}, { keepalive: false }).catch(() => {})
    expect(call(0).init.keepalive).toBe(false)
  })
})

describe('what a request is signed with', () => {
  const later = (expiresAt: number) => ({ headers: { Authorization: 'Bearer b' }, expiresAt })

  it('is asked for once, and then known without waiting', async () => {
    const getAuth = vi.fn(async () => ({ headers: { Authorization: 'Bearer a' } }))
    const request = connect(getAuth)
    const answers = [request('{ a }', {}), request('{ a }', {})]
    expect(calls).toEqual([])
    await vi.waitFor(() => expect(calls.length).toBe(2))
    call(0).answer(json({ data: {} }))
    call(1).answer(json({ data: {} }))
    await Promise.all(answers)
    request('{ a }', {}).catch(() => {})
    expect(calls.length).toBe(3)
    expect(getAuth.mock.calls).toEqual([[{ refresh: false }]])
  })

  it('is renewed before it ends, but used to its very end by a page that is being left', async () => {
    const getAuth = vi.fn(() => later(Date.now() + 60_000))
    const request = connect(getAuth)
    request('{ a }', {}).catch(() => {})
    vi.setSystemTime(Date.now() + 30_000)
    request('{ a }', {}, { keepalive: true }).catch(() => {})
    expect(getAuth).toHaveBeenCalledTimes(1)
    request('{ a }', {}).catch(() => {})
    expect(getAuth).toHaveBeenCalledTimes(2)
    vi.setSystemTime(Date.now() + 60_000)
    request('{ a }', {}, { keepalive: true }).catch(() => {})
    expect(getAuth).toHaveBeenCalledTimes(3)
  })

  it('lasts where it says nothing of an end', () => {
    const getAuth = vi.fn(() => ({}))
    const request = connect(getAuth)
    request('{ a }', {}).catch(() => {})
    vi.setSystemTime(Date.now() + 10 * 365 * 86_400_000)
    request('{ a }', {}).catch(() => {})
    expect(getAuth).toHaveBeenCalledTimes(1)
  })

  it('is nothing where nobody is signed in: nothing is sent, and it is asked for the next time', async () => {
    const getAuth = vi.fn((): Auth | null => null)
    const request = connect(getAuth)
    expect((await failure(request('{ a }', {}))).code).toBe('UNAUTHENTICATED')
    expect(calls).toEqual([])
    await failure(request('{ a }', {}))
    expect(getAuth.mock.calls).toEqual([[{ refresh: false }], [{ refresh: false }]])
  })

  it.each([401, 200])('is refreshed once when it was refused with %i, and the same is sent again', async (status) => {
    const getAuth = vi.fn(async ({ refresh }) => ({ headers: { Authorization: refresh ? 'Bearer b' : 'Bearer a' } }))
    const answer = connect(getAuth)('{ a }', { b: 1 })
    await vi.waitFor(() => call(0))
    call(0).answer(fault('UNAUTHENTICATED', status))
    await vi.waitFor(() => call(1))
    expect([signature(0), signature(1)]).toEqual(['Bearer a', 'Bearer b'])
    expect(call(1).init.body).toBe(call(0).init.body)
    call(1).answer(json({ data: { a: 1 } }))
    expect(await answer).toEqual({ a: 1 })
    expect(getAuth.mock.calls).toEqual([[{ refresh: false }], [{ refresh: true }]])
  })

  it('is refreshed once for all requests that were refused at the same time', async () => {
    const getAuth = vi.fn(async ({ refresh }) => ({ headers: { Authorization: refresh ? 'Bearer b' : 'Bearer a' } }))
    const request = connect(getAuth)
    const answers = [request('{ a }', {}), request('{ a }', {}), request('{ a }', {})]
    await vi.waitFor(() => call(2))
    call(0).answer(fault('UNAUTHENTICATED', 401))
    call(1).answer(fault('UNAUTHENTICATED', 401))
    await vi.waitFor(() => call(4))
    call(2).answer(fault('UNAUTHENTICATED', 401))
    await vi.waitFor(() => call(5))
    expect([signature(3), signature(4), signature(5)]).toEqual(['Bearer b', 'Bearer b', 'Bearer b'])
    expect(getAuth.mock.calls).toEqual([[{ refresh: false }], [{ refresh: true }]])
    for (const index of [3, 4, 5]) call(index).answer(json({ data: {} }))
    await Promise.all(answers)
  })

  it('that is refused twice is UNAUTHENTICATED, as is one that is gone', async () => {
    let auth: Auth | null = {}
    const request = connect(() => auth)
    const first = failure(request('{ a }', {}))
    call(0).answer(new Response('<html>', { status: 401 }))
    await vi.waitFor(() => call(1))
    call(1).answer(new Response('<html>', { status: 401 }))
    expect((await first).code).toBe('UNAUTHENTICATED')
    const second = failure(request('{ a }', {}))
    auth = null
    call(2).answer(fault('UNAUTHENTICATED', 401))
    expect((await second).code).toBe('UNAUTHENTICATED')
    expect(calls.length).toBe(3)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no network')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no network'))],
  ])('may not be had now: getAuth that %s is OFFLINE, and is asked again', async (_, broken) => {
    const getAuth = vi.fn<GetAuth>(broken)
    const request = connect(getAuth)
    expect(await failure(request('{ a }', {}))).toMatchObject({ code: 'OFFLINE', message: 'Error: no network' })
    getAuth.mockReturnValue({})
    request('{ a }', {}).catch(() => {})
    expect(calls.length).toBe(1)
  })

  it('is told for others that send, and asked for where it is not known or ends soon', async () => {
    const getAuth = vi.fn(async () => later(Date.now() + 60_000))
    const request = connect(getAuth)
    const body = plain('{ a }', {})
    expect(request.signed(body)).toBe(null)
    await vi.waitFor(() => expect(request.signed(body)).toMatchObject({ method: 'POST', body: body.data }))
    expect(getAuth).toHaveBeenCalledTimes(1)
    vi.setSystemTime(Date.now() + 45_000)
    expect(request.signed(body)).not.toBe(null)
    expect(getAuth).toHaveBeenCalledTimes(2)
    await new Promise(setImmediate)
    vi.setSystemTime(Date.now() + 120_000)
    getAuth.mockRejectedValue(new Error('no network'))
    expect(request.signed(body)).toBe(null)
    expect(getAuth).toHaveBeenCalledTimes(3)
  })

  it('is not asked for with every key while nobody is signed in', () => {
    const getAuth = vi.fn((): Auth | null => null)
    const request = connect(getAuth)
    const body = plain('{ a }', {})
    for (let index = 0; index < 9; index++) expect(request.signed(body)).toBe(null)
    expect(getAuth).toHaveBeenCalledTimes(1)
    vi.setSystemTime(Date.now() + 10_001)
    request.signed(body)
    expect(getAuth).toHaveBeenCalledTimes(2)
  })
})

describe('a failure', () => {
  const failed = async (response: Response) => {
    const error = failure(connect()('{ a }', {}))
    call(0).answer(response)
    return error
  }

  it.each([
    ['OFFLINE', () => null],
    ['UNAVAILABLE', () => new Response('Bad gateway', { status: 502 })],
    ['UNAVAILABLE', () => fault('SOME_PROXY', 503)],
    ['UNAVAILABLE', () => fault('INTERNAL_SERVER_ERROR')],
    ['UNAVAILABLE', () => new Response('', { status: 408 })],
    ['UNAVAILABLE', () => new Response('<html>Sign in to the Wi-Fi</html>')],
    ['UNAVAILABLE', () => new Response('')],
    ['UNAVAILABLE', () => new Response('null')],
    ['UNAVAILABLE', () => new Response('"data"')],
    ['UNAVAILABLE', () => json({ detail: 'Not found' }, 404)],
    ['UNAVAILABLE', () => json({ data: null })],
    ['UNAVAILABLE', () => json({ errors: [] })],
    ['UNAVAILABLE', () => json({ errors: ['?'] })],
    ['UNAVAILABLE', () => json({ data: { a: 1 }, errors: [{ message: 'Of another server.' }] })],
    ['RATE_LIMITED', () => new Response('Slow down', { status: 429 })],
  ])('is %s, and passes, where it is not of what was asked', async (code, response) => {
    const answer = response()
    const error = failure(connect()('{ a }', {}))
    if (answer) call(0).answer(answer)
    else call(0).fail(new TypeError('Failed to fetch'))
    expect((await error).code).toBe(code)
    expect(await error).toBeInstanceOf(SyncError)
    expect(isPassing(await error)).toBe(true)
  })

  it.each([
    ['TOO_LARGE', () => new Response('<html>', { status: 413 })],
    ['TOO_LARGE', () => fault('TOO_LARGE', 413)],
    ['BAD_USER_INPUT', () => fault('BAD_USER_INPUT', 400)],
    ['FORBIDDEN', () => fault('FORBIDDEN', 403)],
    ['NOT_FOUND', () => fault('NOT_FOUND')],
  ])('is %s, and does not pass, where it is', async (code, response) => {
    const error = await failed(response())
    expect(error.code).toBe(code)
    expect(isPassing(error)).toBe(false)
  })

  it('says what the server said', async () => {
    expect((await failed(fault('FORBIDDEN', 403))).message).toBe('No.')
  })

  it('counts although there is some data, too', async () => {
    const errors = [{ message: 'No.', extensions: { code: 'RESYNC_REQUIRED' } }]
    expect((await failed(json({ data: { a: 1 }, errors }))).code).toBe('RESYNC_REQUIRED')
  })

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', undefined],
    ['99999999999', 3_600_000],
    ['soon', undefined],
    ['', undefined],
  ])('honours Retry-After: %j', async (said, ms) => {
    const error = await failed(new Response('', { status: 503, headers: { 'Retry-After': said } }))
    expect(error.retryAfterMs).toBe(ms)
  })

  it('of anything else does not pass', () => {
    expect(isPassing(new TypeError('x'))).toBe(false)
    expect(isPassing(undefined)).toBe(false)
  })
})
