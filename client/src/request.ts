/** A request to the server: signed, kept alive when the page is left, and its failure told by a code. */

import type { Auth, Connection } from './types.js'

export const IN_FLIGHT_BYTES = 60 * 1024 // browsers carry 64 KiB when a page is left; some is the application's own
const MARGIN_MS = 30_000 // a token is renewed before it ends, as clocks differ and requests take their time
const TIMEOUT_MS = 60_000 // after which a connection is dead, such as one from before the computer slept
const LONGEST_MS = 3_600_000 // of Retry-After; beyond it whoever edits should see that we try

const UNAUTHENTICATED = 'UNAUTHENTICATED'
const UNAVAILABLE = 'UNAVAILABLE'
const RATE_LIMITED = 'RATE_LIMITED'
const OFFLINE = 'OFFLINE'

// Whoever answers with these, the server or a proxy before it.
const CODES: Readonly<Record<number, string>> = {
  401: UNAUTHENTICATED,
  408: UNAVAILABLE,
  413: 'TOO_LARGE',
  425: UNAVAILABLE,
  429: RATE_LIMITED,
}

/** Why something cannot be: a code of the server, or OFFLINE, UNAVAILABLE, RATE_LIMITED, TOO_LARGE, READ_ONLY. */
export class SyncError extends Error {
  readonly code: string
  /** Milliseconds that the server asked to be left alone. */
  readonly retryAfterMs: number | undefined

  constructor(code: string, message = code, retryAfterMs?: number) {
    super(message)
    this.name = 'SyncError'
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** Whether it is worth trying again by itself. */
export const isPassing = (error: unknown): boolean =>
  error instanceof SyncError && [OFFLINE, UNAVAILABLE, RATE_LIMITED].includes(error.code)

/** What is sent, and its size on the wire. */
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

export interface Request {
  /**
   * Run one operation. Throws SyncError. `fetch` is called before this returns where it is known what to sign with
   * and the body is small or given: at `pagehide` there is no later.
   */
  <Data>(query: string, variables: object, options?: RequestOptions): Promise<Data>
  /** The same for `fetch`, signed; null where that is not known now, or ends at once: then it is asked for. */
  readonly signed: (body: Body) => RequestInit | null
}

let inFlight = 0 // bytes kept alive; browsers count them for the whole page, and so does this

/** Whether a body can still be sent by a page that is left. */
export const fits = (body: Body): boolean => inFlight + body.bytes <= IN_FLIGHT_BYTES

export const plain = (query: string, variables: object): Body => {
  const data = JSON.stringify({ query, variables })
  return { data, bytes: new TextEncoder().encode(data).length }
}

/** Make a body smaller; the body itself where the browser cannot. */
export async function zip(body: Body): Promise<Body> {
  if (typeof CompressionStream === 'undefined') return body
  const stream = new Response(body.data).body?.pipeThrough(new CompressionStream('gzip'))
  const data = await new Response(stream).arrayBuffer()
  return { data, bytes: data.byteLength }
}

export function createRequest({ endpoint, getAuth }: Connection): Request {
  let known: Auth | null = null
  let isDoubted = false // whether what was kept alive failed last: the application may have used up what a page may send
  const asking = new Map<boolean, Promise<Auth | null>>()

  const learn = (auth: Auth | null) => (known = auth)

  const ask = (refresh: boolean): Auth | null | Promise<Auth | null> => {
    const running = asking.get(refresh)
    if (running) return running
    const told = getAuth({ refresh })
    if (!(told && 'then' in told)) return learn(told)
    const answer = told.then(learn).finally(() => asking.delete(refresh))
    asking.set(refresh, answer)
    return answer
  }

  const fresh = (marginMs: number) => (known && (known.expiresAt ?? Infinity) - marginMs > Date.now() ? known : null)

  const post = async <Data>(body: Body, auth: Auth | null, isLast: boolean | undefined): Promise<Data> => {
    if (!auth) throw new SyncError(UNAUTHENTICATED)
    const keepalive = (isLast ?? !isDoubted) && fits(body)
    const kept = keepalive ? body.bytes : 0
    const ending = new AbortController()
    const timer = setTimeout(() => ending.abort(), TIMEOUT_MS)
    inFlight += kept
    try {
      const response = await fetch(endpoint, { ...envelope(body, auth), keepalive, signal: ending.signal })
      const text = await response.text()
      isDoubted = false
      return read<Data>(response, text)
    } catch (error) {
      if (error instanceof SyncError) throw error
      isDoubted = keepalive
      throw new SyncError(OFFLINE, String(error))
    } finally {
      clearTimeout(timer)
      inFlight -= kept
    }
  }

  const request = async <Data>(query: string, variables: object, options: RequestOptions = {}): Promise<Data> => {
    const { keepalive } = options
    let body = options.body ?? plain(query, variables)
    if (!keepalive && !options.body && body.bytes > IN_FLIGHT_BYTES) body = await zip(body)
    const said = fresh(keepalive ? 0 : MARGIN_MS) ?? ask(false)
    const auth = said instanceof Promise ? await said : said
    try {
      return await post(body, auth, keepalive)
    } catch (error) {
      if (!auth || !(error instanceof SyncError && error.code === UNAUTHENTICATED)) throw error
      return post(body, known === auth ? await ask(true) : known, keepalive)
    }
  }

  const signed = (body: Body) => {
    const auth = fresh(0)
    if (!fresh(MARGIN_MS)) void Promise.resolve(ask(false)).catch(() => {})
    return auth && envelope(body, auth)
  }

  return Object.assign(request, { signed })
}

function envelope({ data }: Body, auth: Auth): RequestInit {
  const encoding = typeof data === 'string' ? {} : { 'Content-Encoding': 'gzip' }
  const headers = { ...auth.headers, 'Content-Type': 'application/json', ...encoding }
  return { method: 'POST', credentials: 'include', headers, body: data }
}

interface Said {
  readonly data?: unknown
  readonly errors?: readonly { readonly message?: string; readonly extensions?: { readonly code?: string } }[]
}

function read<Data>(response: Response, text: string): Data {
  const said = parse(text)
  const fault = said?.errors?.[0]
  const code = codeOf(response.status, said, fault?.extensions?.code)
  if (!code) return said?.data as Data
  throw new SyncError(code, fault?.message ?? `The server answered ${response.status}.`, retryAfter(response.headers))
}

function parse(text: string): Said | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** What went wrong; undefined where nothing did. What only a proxy or a fault of the server can have said, passes. */
function codeOf(status: number, said: Said | null, told: string | undefined): string | undefined {
  if (CODES[status]) return CODES[status]
  if (status >= 500 || told === 'INTERNAL_SERVER_ERROR') return UNAVAILABLE
  return told ?? (said?.data && !said.errors ? undefined : UNAVAILABLE)
}

/** Retry-After in milliseconds, from seconds or from a date, which is counted from the server's own. */
function retryAfter(headers: Headers): number | undefined {
  const said = headers.get('Retry-After') ?? ''
  const ms = /^\d+$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - (Date.parse(headers.get('Date') ?? '') || Date.now())
  return ms >= 0 ? Math.min(ms, LONGEST_MS) : undefined
}
