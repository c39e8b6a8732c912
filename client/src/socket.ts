/**
 * GraphQL subscriptions over one WebSocket that mends itself: the client's side of graphql-transport-ws.
 *
 *     paused <---------------- pause() from anywhere
 *       | resume()
 *       v
 *     signing in --getAuth--> opening --connection_init, connection_ack--> standing --ping after silence--> standing
 *       ^                        |                                            |
 *       |                        +--closed, or no answer----------------------+--the sign-in ends soon--> signing in
 *       +--at once, on `online`, when seen again, or by and by: backoff.ts----+
 *
 * Every code that a socket is closed with is tried again: after 4401 and 4403 with refreshed credentials.
 */

import { backoff } from './backoff.js'
import type { Auth, FeedFactory, Subscription } from './types.js'

const PROTOCOL = 'graphql-transport-ws'
const REFUSED = [4401, 4403] // nobody is signed in, or not any more
const PASSING = ['INTERNAL_SERVER_ERROR', 'RATE_LIMITED'] // what a subscription may end with and still be tried again
const SILENCE_MS = 20_000 // proxies let go of a connection that is silent for a minute
const ANSWER_MS = 10_000 // a server that has not answered by then is gone; slow networks need seconds
const TICK_MS = 2_000 // between looks at the clock, so also the longest that a wake-up stays unnoticed
const STEADY_MS = 10_000 // a connection that stood that long counts as mended
const RENEW_MS = 30_000 // before the sign-in ends, as clocks differ

interface Fault {
  readonly message: string
  readonly extensions?: { readonly code?: string }
}

interface Frame {
  readonly type: string
  readonly id?: string
  readonly payload?: readonly Fault[] & { readonly data?: never; readonly errors?: readonly Fault[] }
}

interface Line {
  readonly say: (frame: object) => void
  /** Ask for a sign of life, where that is in doubt or it was silent for long; end where none came. */
  readonly look: (isDoubted?: boolean) => void
  readonly close: () => void
}

/** One WebSocket. `onEnd` is told its close code, or nothing where it went silent, but not of `close`. */
function openLine(url: URL, auth: Auth, onFrame: (frame: Frame) => void, onEnd: (code?: number) => void): Line {
  const socket = new WebSocket(url, PROTOCOL)
  let heardAt = 0
  let askedAt = Date.now()

  const say = (frame: object) => socket.send(JSON.stringify(frame))
  const close = () => {
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
  const look = (isDoubted = false) => {
    const now = Date.now()
    if (heardAt < askedAt) {
      if (now - askedAt < ANSWER_MS) return
      close()
      onEnd()
    } else if (isDoubted || now - heardAt >= SILENCE_MS) {
      askedAt = now
      say({ type: 'ping' })
    }
  }

  socket.onopen = () => say({ type: 'connection_init', payload: auth.headers })
  socket.onclose = ({ code }) => onEnd(code)
  socket.onmessage = ({ data }) => {
    const frame: Frame = JSON.parse(data)
    heardAt = Date.now()
    if (frame.type === 'ping') say({ type: 'pong' })
    else onFrame(frame)
  }
  return { say, look, close }
}

/** Where the endpoint's sockets are; an endpoint may be relative to the page. */
function addressOf(endpoint: string): URL {
  const url = new URL(endpoint, globalThis.location?.href)
  url.protocol = url.protocol.replace('http', 'ws')
  return url
}

/** Others' saves and presence, heard over one WebSocket. Without WebSockets it is never connected. */
export const webSocketFeed: FeedFactory = ({ endpoint, getAuth }) => {
  const subscriptions = new Map<string, Subscription<never>>()
  const watchers = new Set<(isConnected: boolean) => void>()
  let line: Line | null = null
  let isConnected = false
  let isPaused = typeof WebSocket === 'undefined'
  let isRefused = false
  let turn = 0 // of connecting: who waited for a sign-in meanwhile is late
  let failures = 0
  let ids = 0
  let standsSince = 0
  let endsAt = Infinity // the sign-in
  let renewAt = Infinity
  let retry: ReturnType<typeof setTimeout> | undefined
  let ticker: ReturnType<typeof setInterval> | undefined

  const tell = (isNow: boolean) => {
    if (isNow === isConnected) return
    isConnected = isNow
    watchers.forEach((watcher) => watcher(isNow))
  }

  const leave = () => {
    turn += 1
    clearTimeout(retry)
    line?.close()
    line = null
    renewAt = Infinity
    tell(false)
  }

  const lose = (code = 0) => {
    if (isConnected && Date.now() - standsSince >= STEADY_MS) failures = 0
    const refused = REFUSED.includes(code)
    leave()
    isRefused ||= refused
    retry = setTimeout(connect, refused && !failures ? 0 : backoff(failures))
    failures += 1
  }

  const open = (auth: Auth | null) => {
    leave()
    if (!auth) return lose()
    endsAt = auth.expiresAt ?? Infinity
    renewAt = Math.max(endsAt - RENEW_MS, (endsAt + Date.now()) / 2)
    try {
      line = openLine(addressOf(endpoint), auth, hear, lose)
    } catch {
      lose()
    }
  }

  /** Ask for a sign-in and go on with it, unless something else was begun meanwhile. */
  const signIn = async (goOn: (auth: Auth | null) => void) => {
    const mine = turn
    let auth: Auth | null = null
    try {
      auth = await getAuth({ refresh: isRefused })
    } catch {} // as good as none
    if (mine === turn) goOn(auth)
  }

  const connect = () => {
    leave()
    if (isPaused || !subscriptions.size) return
    ticker ??= setInterval(tick, TICK_MS)
    void signIn(open)
  }

  const tick = () => {
    line?.look()
    if (Date.now() < renewAt) return
    renewAt = Infinity
    void signIn((auth) => {
      if (auth && (auth.expiresAt ?? Infinity) > endsAt) open(auth)
    })
  }

  const start = ({ query, variables }: Subscription<never>, id: string) =>
    line?.say({ id, type: 'subscribe', payload: { query, variables: variables() } })

  const finish = (id: string, fault: Fault | undefined) => {
    const code = fault?.extensions?.code ?? ''
    if (PASSING.includes(code)) return lose()
    const subscription = subscriptions.get(id)
    subscriptions.delete(id)
    subscription?.end(fault ? { code, message: fault.message } : null)
  }

  const hear = ({ type, id = '', payload }: Frame) => {
    if (type === 'connection_ack') {
      isRefused = false
      standsSince = Date.now()
      subscriptions.forEach(start)
      tell(true)
    } else if (payload?.data) subscriptions.get(id)?.next(payload.data)
    else finish(id, (payload?.errors ?? payload)?.[0])
  }

  const check = () => {
    if (globalThis.document?.hidden) return
    if (line) line.look(true)
    else connect()
  }

  const pause = () => {
    isPaused = true
    leave()
    clearInterval(ticker)
    ticker = undefined
  }

  globalThis.addEventListener?.('online', check)
  globalThis.document?.addEventListener('visibilitychange', check)

  return {
    subscribe: (subscription) => {
      const id = String((ids += 1))
      subscriptions.set(id, subscription)
      if (isConnected) start(subscription, id)
      else if (subscriptions.size === 1) connect()
      return () => {
        if (subscriptions.delete(id) && isConnected) line?.say({ id, type: 'complete' })
      }
    },
    watch: (listener) => {
      watchers.add(listener)
      listener(isConnected)
      return () => void watchers.delete(listener)
    },
    pause,
    resume: () => {
      if (!isPaused) return
      isPaused = typeof WebSocket === 'undefined'
      connect()
    },
    close: () => {
      pause()
      subscriptions.clear()
      watchers.clear()
      globalThis.removeEventListener?.('online', check)
      globalThis.document?.removeEventListener('visibilitychange', check)
    },
  }
}
