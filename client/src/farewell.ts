/** The farewell of a page: what is unsaved goes out while the page is left, by whatever way still takes it. */

import { fits, IN_FLIGHT_BYTES, plain, zip, type Body, type Request } from './request.js'

/** One operation, and the same as a body of the REST route where it is a single save. */
export interface Letter {
  readonly query: string
  readonly variables: object
  readonly save?: object
}

export interface Handlers {
  /** The page is hidden, frozen, left or about to be asked: send what is unsaved, now. May come several times. */
  readonly leave: () => void
  /** It is left, perhaps to come back (bfcache): let locks and sockets go. */
  readonly pause: () => void
  /** It came back from the bfcache. */
  readonly resume: () => void
  /** It is visible again, or no longer frozen. */
  readonly look: () => void
}

export interface Farewell {
  /** Whether the browser asks before the page is closed. */
  readonly prompt: (isUnsaved: boolean) => void
  /**
   * Make ready what would have to be sent if the page were left, or died, now: after every write of the outbox, in the
   * same task, so that both hold the same. Replaces what was ready before; null takes it back, before a save is sent.
   */
  readonly prepare: (letter: Letter | null) => void
  /** Send it, by the first way that takes it. Throws SyncError. */
  readonly sendLast: <Data>(letter: Letter) => Promise<Data>
  readonly close: () => void
}

type FetchLater = (url: string, init: RequestInit) => unknown

export function createFarewell(endpoint: string, request: Request, handlers: Handlers): Farewell {
  const ending = new AbortController()
  let queued = new AbortController()
  let latest: Body | null = null // what a large letter looks like now
  let zipped: { readonly of: Body['data']; readonly body: Body } | null = null

  /** For a page that dies without a word: the browser itself sends it then. */
  const queue = (body: Body) => {
    const { fetchLater } = globalThis as { fetchLater?: FetchLater }
    const init = request.signed(body)
    try {
      if (init) fetchLater?.(endpoint, { ...init, signal: queued.signal })
    } catch {
      // The browser has no room for it.
    }
  }

  const zipWhenIdle = (body: Body) =>
    whenIdle(async () => {
      if (body === latest) zipped = { of: body.data, body: await zip(body) }
    })

  const prepare = (letter: Letter | null) => {
    queued.abort()
    queued = new AbortController()
    latest = letter && plain(letter.query, letter.variables)
    if (latest && latest.bytes <= IN_FLIGHT_BYTES) queue(latest)
    else if (latest && latest.data !== zipped?.of) zipWhenIdle(latest)
  }

  const sendLast = <Data>({ query, variables, save }: Letter): Promise<Data> => {
    prepare(null)
    const whole = plain(query, variables)
    const body = [whole, zipped?.of === whole.data && zipped.body].find((way) => way && fits(way)) || whole
    const isCarried = fits(body) && request.signed(body)
    if (!isCarried && save) beacon(endpoint, save)
    return request(query, variables, { keepalive: true, body })
  }

  const hide = () => (document.visibilityState === 'hidden' ? handlers.leave() : handlers.look())
  const go = () => {
    handlers.leave()
    handlers.pause()
  }
  const warn = (event: Event) => {
    handlers.leave()
    event.preventDefault()
  }
  const prompt = (isUnsaved: boolean) =>
    isUnsaved ? addEventListener('beforeunload', warn) : removeEventListener('beforeunload', warn)

  const on = (target: EventTarget | undefined, type: string, run: (event: Event) => void) =>
    target?.addEventListener(type, run, { signal: ending.signal })
  const { document: page, window: frame } = globalThis
  on(page, 'visibilitychange', hide)
  on(page, 'freeze', handlers.leave)
  on(page, 'resume', handlers.look)
  on(frame, 'pagehide', go)
  on(frame, 'pageshow', (event) => (event as PageTransitionEvent).persisted && handlers.resume())

  const close = () => {
    ending.abort()
    prompt(false)
    prepare(null)
  }
  return { prompt, prepare, sendLast, close }
}

const whenIdle = (run: () => void) =>
  typeof requestIdleCallback === 'undefined' ? setTimeout(run) : requestIdleCallback(run)

/** A second copy by another way, signed with cookies alone; the server applies only one of both. */
function beacon(endpoint: string, save: object) {
  const route = new URL('api/workflows/sync', new URL(endpoint, location.href))
  navigator.sendBeacon(route, JSON.stringify(save))
}
