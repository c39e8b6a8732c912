/** The farewell of a page: what is unsaved goes out while the page is left, by whatever way still takes it. */

import { attempt } from './attempt.js'
import { fits, plain, zip, type Body, type SigningRequest } from './request.js'

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

const BUSY_MS = 200 // a page that draws a large document is not idle for long, and may be left right then

type WhenIdle = (run: () => void, options: IdleRequestOptions) => unknown
type FetchLater = (url: string, init: RequestInit) => unknown

export function createFarewell(endpoint: string, request: SigningRequest, handlers: Handlers): Farewell {
  const ending = new AbortController()
  let queued = new AbortController()
  let large: Body | null = null // what is ready and has to become smaller
  let small: Body | null = null // what became of it

  /** For a page that dies without a word: the browser itself sends it then, if it can. */
  const queue = (body: Body) => {
    const { fetchLater } = globalThis as { fetchLater?: FetchLater }
    const init = request.signed(body)
    if (init) attempt(() => fetchLater?.(endpoint, { ...init, signal: queued.signal }))
  }

  const zipWhenIdle = (body: Body) => {
    if (body.data === large?.data) return
    large = body
    small = null
    const zipNow = async () => {
      const zipped = body === large && (await zip(body))
      if (zipped && body === large) small = zipped
    }
    const whenIdle: WhenIdle = globalThis.requestIdleCallback ?? ((run) => setTimeout(run))
    whenIdle(zipNow, { timeout: BUSY_MS })
  }

  const prepare = (letter: Letter | null) => {
    queued.abort()
    queued = new AbortController()
    if (!letter) return
    const body = plain(letter.query, letter.variables)
    if (fits(body)) queue(body)
    else zipWhenIdle(body)
  }

  const sendLast = <Data>({ query, variables, save }: Letter): Promise<Data> => {
    prepare(null)
    const whole = plain(query, variables)
    const body = (whole.data === large?.data && small) || whole
    if (save && !(fits(body) && request.signed(body))) beacon(endpoint, save)
    return request(query, variables, { keepalive: true, body })
  }

  const warn = (event: Event) => {
    handlers.leave()
    event.preventDefault()
  }
  const prompt = (isUnsaved: boolean) =>
    globalThis[isUnsaved ? 'addEventListener' : 'removeEventListener']?.('beforeunload', warn)

  const on = (target: EventTarget | undefined, type: string, run: (event: Event) => void) =>
    target?.addEventListener(type, run, { signal: ending.signal })
  const { document, window } = globalThis
  on(document, 'visibilitychange', () => (document.hidden ? handlers.leave() : handlers.look()))
  on(document, 'freeze', handlers.leave)
  on(document, 'resume', handlers.look)
  on(window, 'pagehide', () => {
    handlers.leave()
    handlers.pause()
  })
  on(window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && handlers.resume())

  const close = () => {
    ending.abort()
    prompt(false)
    prepare(null)
  }
  return { prompt, prepare, sendLast, close }
}

/** The same save once more, by another way, signed with cookies alone: it is applied once. */
function beacon(endpoint: string, save: object) {
  const route = new URL('api/workflows/sync', new URL(endpoint, location.href))
  attempt(() => navigator.sendBeacon(route, JSON.stringify(save)))
}
