/** A request to the server: signed, kept alive when the page is left, and its failure told by a code. */

import { attempt } from './attempt.js'
import type { Auth, Connection } from './types.js'

const IN_FLIGHT_BYTES = 60 * 1024 // browsers carry 64 KiB when a page is left; some is the application's own
const MARGIN_MS = 30_000 // a token is renewed before it ends, as clocks differ and requests take their time
const TIMEOUT_MS = 120_000 // then a connection is dead, such as one from before the computer slept, or far too slow
const ASK_MS = 10_000 // between asking what to sign with while nobody needs it; a user who types is no reason
const LONGEST_MS = 3_600_000 // of Retry-After; whoever edits should see that we try

const UNAUTHENTICATED = 'UNAUTHENTICATED'
const UNAVAILABLE = 'UNAVAILABLE'
const RATE_LIMITED = 'RATE_LIMITED'
const OFFLINE = 'OFFLINE'

/** What these mean, whoever answers: the server, or a proxy before it. */
const CODES: Readonly<Record<number, string>> = {
  401: UNAUTHENTICATED,
  408: UNAVAILABLE,
  413: 'TOO_LARGE',
  429: RATE_LIMITED,
}

/** Why something cannot be: a code of the server, or OFFLINE, UNAVAILABLE, RATE_LIMITED, TOO_LARGE, READ_ONLY. */
export class SyncError extends Error {
  /** `retryAfterMs`: for how long the server asked to be left alone. */
  constructor(
    readonly code: string,
    message = code,
    readonly retryAfterMs?: number,
  ) {
    super(message)
  }
}

/** Whether it is worth trying again by itself. */
export const isPassing = (error: unknown): boolean =>
  error instanceof SyncError && [OFFLINE, UNAVAILABLE, RATE_LIMITED].includes(error.code)

/** What is sent, a text or zipped, and its size on the wire. */
export interface Body {
  readonly data: string | ArrayBuffer
  readonly bytes: number
}

export interface RequestOptions {
  /** True: the page is being left, so it goes out that way whatever was before. False: it may end with the page. */
  readonly keepalive?: boolean
  /** The same operation, made ready before. */
  readonly body?: Body
}

/**
 * Runs one operation. Throws SyncError. Where it is known what to sign with, `fetch` is called before this returns: at
 * `pagehide` there is no later.
 */
export type Request = <Data>(query: string, variables: object, options?: RequestOptions) => Promise<Data>

export interface SigningRequest extends Request {
  /** The same for `fetch`, signed; null where that is not known now: then, or where it ends soon, it is asked for. */
  readonly signed: (body: Body) => RequestInit | null
}

let inFlight = 0 // bytes kept alive; browsers count them for the whole page, and so does this

/** Whether a page that is left can still send it. */
export const fits = (body: Body): boolean => inFlight + body.bytes <= IN_FLIGHT_BYTES

export function plain(query: string, variables: object): Body {
  const data = JSON.stringify({ query, variables })
  return { data, bytes: new TextEncoder().encode(data).length }
}

/** Make a body smaller; the body itself where the browser cannot. */
export async function zip(body: Body): Promise<Body> {
  if (!globalThis.CompressionStream) return body
  const stream = new Response(body.data).body?.pipeThrough(new CompressionStream('gzip'))
  const data = await new Response(stream).arrayBuffer()
  return { data, bytes: data.byteLength }
}

export function createRequest({ endpoint, getAuth }: Connection): SigningRequest {
  let known: Auth | null = null
  let asking: Promise<Auth | null> | null = null
  let askedAt = 0 // by `signed`
  let isDoubted = false // what was kept alive failed last: the application may have used up what a page may carry

  const ask = (refresh: boolean) => {
    const told = asking ?? getAuth({ refresh })
    if (!isPromise(told)) return (known = told)
    return (asking = told.then((auth) => (known = auth)).finally(() => (asking = null)))
  }

  const fresh = (marginMs: number) => (known && (known.expiresAt ?? Infinity) - marginMs > Date.now() ? known : null)

  const post = async <Data>(body: Body, auth: Auth | null, isLast: boolean | undefined): Promise<Data> => {
    if (!auth) throw new SyncError(UNAUTHENTICATED)
    const keepalive = (isLast ?? !isDoubted) && fits(body)
    const kept = keepalive ? body.bytes : 0
    let isAnswered = false
    inFlight += kept
    try {
      const [response, text] = await unlessLost(async (signal) => {
        const response = await fetch(endpoint, { ...envelope(body, auth), keepalive, signal })
        return [response, await response.text()] as const
      })
      isAnswered = true
      return read<Data>(response, text)
    } finally {
      inFlight -= kept
      isDoubted = keepalive && !isAnswered
    }
  }

  const request = async <Data>(query: string, variables: object, options: RequestOptions = {}): Promise<Data> => {
    const { keepalive, body = plain(query, variables) } = options
    try {
      const told = fresh(keepalive ? 0 : MARGIN_MS) ?? ask(false)
      const auth = isPromise(told) ? await told : told
      return await post<Data>(body, auth, keepalive).catch(async (error) => {
        if (!auth || error.code !== UNAUTHENTICATED) throw error
        return post<Data>(body, known === auth ? await ask(true) : known, keepalive)
      })
    } catch (error) {
      throw error instanceof SyncError ? error : new SyncError(OFFLINE, String(error))
    }
  }

  const signed = (body: Body) => {
    if (!fresh(MARGIN_MS) && Date.now() - askedAt > ASK_MS) {
      askedAt = Date.now()
      Promise.resolve(attempt(() => ask(false))).catch(() => {})
    }
    const auth = fresh(0)
    return auth && envelope(body, auth)
  }

  return Object.assign(request, { signed })
}

/**
 * Waits for an answer as long as one can come. What was kept alive while the page was in the bfcache never ends in
 * WebKit, not even by its signal.
 */
async function unlessLost<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  const { signal } = ending
  const lost = new Promise<never>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)))
  const end = () => ending.abort()
  const onShow = (event: PageTransitionEvent) => event.persisted && end()
  const timer = setTimeout(end, TIMEOUT_MS)
  globalThis.addEventListener?.('pageshow', onShow)
  try {
    return await Promise.race([run(signal), lost])
  } finally {
    clearTimeout(timer)
    globalThis.removeEventListener?.('pageshow', onShow)
  }
}

const isPromise = <T extends object>(told: T | null | Promise<T | null>): told is Promise<T | null> =>
  told !== null && 'then' in told

function envelope({ data }: Body, auth: Auth): RequestInit {
  const encoding = typeof data === 'string' ? {} : { 'Content-Encoding': 'gzip' }
  const headers = { ...auth.headers, 'Content-Type': 'application/json', ...encoding }
  return { method: 'POST', credentials: 'include', headers, body: data }
}

interface Answer {
  readonly data?: unknown
  readonly errors?: readonly { readonly message?: string; readonly extensions?: { readonly code?: string } }[]
}

function read<Data>({ status, headers }: Response, text: string): Data {
  const answer = attempt((): Answer | null => JSON.parse(text))
  const fault = answer?.errors?.[0]
  const code = CODES[status] ?? codeOf(status, fault ? fault.extensions?.code : answer?.data && '')
  if (code) throw new SyncError(code, fault?.message ?? `HTTP ${status}`, retryAfter(headers))
  return answer?.data as Data
}

/** What only a proxy or a fault of the server can have said passes. */
const codeOf = (status: number, told: unknown) =>
  status >= 500 || typeof told !== 'string' || told === 'INTERNAL_SERVER_ERROR' ? UNAVAILABLE : told

/** Milliseconds, from seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const said = headers.get('Retry-After') ?? ''
  const ms = /^\d+$/.test(said) ? +said * 1_000 : Date.parse(said) - Date.now()
  return ms >= 0 ? Math.min(ms, LONGEST_MS) : undefined
}
