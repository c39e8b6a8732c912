/** A real WebSocket server whose part in graphql-transport-ws is played by a test. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

export interface Frame {
  readonly type: string
  readonly id?: string
  readonly payload?: { readonly query?: string; readonly variables?: object } & Readonly<Record<string, unknown>>
}

/** Things in the order in which they came, for whoever waits for the next. */
function queue<Thing>() {
  const things: Thing[] = []
  const waiting: ((thing: Thing) => void)[] = []
  return {
    put: (thing: Thing) => {
      const next = waiting.shift()
      if (next) next(thing)
      else things.push(thing)
    },
    take: () =>
      new Promise<Thing>((resolve) => {
        const thing = things.shift()
        if (thing === undefined) waiting.push(resolve)
        else resolve(thing)
      }),
    size: () => things.length,
  }
}

/** One connection, seen from the server. */
export interface Visitor {
  readonly path: string
  readonly protocol: string
  /** The next frame of the client. */
  readonly frame: () => Promise<Frame>
  readonly say: (frame: object) => void
  /** End it by a code; 1006: without one. */
  readonly close: (code: number) => void
  /** The code with which it ends. */
  readonly ended: Promise<number>
}

export interface Stage {
  readonly endpoint: string
  /** The next connection. */
  readonly visitor: () => Promise<Visitor>
  /** The next connection after the sign-in, which must be with that. */
  readonly acknowledged: () => Promise<Visitor & { readonly signIn: Frame['payload'] }>
  /** How many connections nobody has looked at. */
  readonly unseen: () => number
  readonly close: () => Promise<void>
}

export async function openStage(): Promise<Stage> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const visitors = queue<Visitor>()
  server.on('connection', (socket, { url = '' }) => visitors.put(visit(socket, url)))
  const acknowledged = async () => {
    const visitor = await visitors.take()
    const { type, payload } = await visitor.frame()
    if (type !== 'connection_init') throw new Error(`It began with ${type}.`)
    visitor.say({ type: 'connection_ack' })
    return { ...visitor, signIn: payload }
  }
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    visitor: visitors.take,
    acknowledged,
    unseen: visitors.size,
    close: async () => {
      server.clients.forEach((client) => client.terminate())
      server.close()
      await once(server, 'close')
    },
  }
}

function visit(socket: WebSocket, path: string): Visitor {
  const frames = queue<Frame>()
  socket.on('message', (data) => frames.put(JSON.parse(String(data))))
  return {
    path,
    protocol: socket.protocol,
    frame: frames.take,
    say: (frame) => socket.send(JSON.stringify(frame)),
    close: (code) => (code === 1006 ? socket.terminate() : socket.close(code)),
    ended: once(socket, 'close').then(([code]) => code),
  }
}

/** `ws` as a browser's: without a listener it would throw where a connection fails. */
export class BrowserSocket extends WebSocket {
  static opened = 0

  constructor(url: string | URL, protocol: string) {
    super(url, protocol)
    this.on('error', () => {})
    BrowserSocket.opened += 1
  }
}

/** The events of a page, where there is none. */
export class Page extends EventTarget {
  hidden = false
  readonly online = () => this.dispatchEvent(new Event('online'))
  readonly show = (isShown: boolean) => {
    this.hidden = !isShown
    this.dispatchEvent(new Event('visibilitychange'))
  }
}
