/** The way from a page to the server: what goes over it, and what does not. */

import { vi } from 'vitest'
import type { Document, Feed, FeedFactory, Json, Subscription } from '../src/types.js'
import { ME, Refusal, written, type FakeServer, type Entry } from './server.js'

interface Call {
  readonly query: string
  readonly variables: { readonly [name: string]: never }
  readonly keepalive: boolean
}

const json = (data: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(data), { status, headers })

const failure = (code: string, status = 200) => json({ errors: [{ message: code, extensions: { code } }] }, status)

export class FakeNetwork {
  isUp = true
  /** That requests arrive, but no answer to them. */
  losesAnswers = false
  /** That requests wait until they are `served`. */
  isHeld = false
  viewer = ME
  role = 'OWNER'
  /** Other workflows, which can only be read. */
  readonly reads: Record<string, { readonly version: number; readonly state: Document }> = {}
  /** What is answered instead, one for each request. */
  readonly instead: (() => Response)[] = []
  readonly calls: Call[] = []
  private readonly held: (() => void)[] = []

  constructor(readonly server: FakeServer) {
    vi.stubGlobal('fetch', (_url: string, init: RequestInit) => this.fetch(init))
  }

  /** The saves among the calls. */
  get saves() {
    return this.calls.flatMap(({ variables }) => (variables['inputs'] ?? [variables['input'] ?? []].flat()) as Json[])
  }

  serve() {
    this.isHeld = false
    for (const go of this.held.splice(0)) go()
  }

  /** Answer the next request by an error. */
  refuse(code: string, status = 200) {
    this.instead.push(() => failure(code, status))
  }

  answer(status: number, headers?: Record<string, string>) {
    this.instead.push(() => json({}, status, headers))
  }

  private async fetch(init: RequestInit): Promise<Response> {
    const call = { ...JSON.parse(String(init.body)), keepalive: init.keepalive }
    this.calls.push(call)
    if (this.isHeld) await new Promise<void>((go) => this.held.push(go))
    if (!this.isUp) throw new TypeError('Failed to fetch')
    const instead = this.instead.shift()
    if (instead) return instead()
    const response = this.respond(call)
    if (this.losesAnswers) throw new TypeError('Failed to fetch')
    return response
  }

  private respond({ query, variables }: Call): Response {
    try {
      const { input = {} as never, inputs = [] } = variables
      if (query.includes('syncWorkflows(')) return json({ data: { syncWorkflows: this.server.syncAll(inputs) } })
      if (query.includes('syncWorkflow(')) return json({ data: { syncWorkflow: this.server.sync(input) } })
      if (query === '{viewer{id}}') return json({ data: { viewer: { id: this.viewer } } })
      if (query.includes('viewer{id}')) return json({ data: this.read(String(variables['id'])) })
      throw new Error(`Nobody answers ${query}`)
    } catch (error) {
      if (error instanceof Refusal) return failure(error.code)
      throw error
    }
  }

  private read(id: string) {
    const found = id === this.server.id ? this.server : this.reads[id]
    const { version, state } = found ?? { version: 0, state: {} }
    const conflicts = id === this.server.id ? this.server.conflicts : []
    const { role } = this
    const workflow = { name: 'W', version, state, role, savedBy: 'other', savedAt: `at ${version}`, conflicts }
    return { viewer: { id: this.viewer }, workflow: version ? workflow : null }
  }
}

/** News of the server, told at once while it is `isUp`. */
export class FakeFeed implements Feed {
  isUp = true
  private readonly subscriptions = new Set<Subscription<unknown>>()
  private readonly watchers = new Set<(isConnected: boolean) => void>()
  readonly factory: FeedFactory = () => this

  constructor(readonly server: FakeServer) {
    server.onSave = (entry) => this.tell(entry)
  }

  subscribe: Feed['subscribe'] = (subscription) => {
    const known = subscription as Subscription<unknown>
    this.subscriptions.add(known)
    if (this.isUp) this.catchUp(known)
    return () => void this.subscriptions.delete(known)
  }

  watch: Feed['watch'] = (listener) => {
    this.watchers.add(listener)
    listener(this.isUp)
    return () => void this.watchers.delete(listener)
  }

  pause = () => this.set(false)
  resume = () => this.set(true)
  close = () => this.set(false)

  /** Whoever listened is dead. */
  forget() {
    this.subscriptions.clear()
    this.watchers.clear()
  }

  get listeners() {
    return this.subscriptions.size
  }

  /** End every subscription. */
  end(code: string | null) {
    const ended = [...this.subscriptions]
    this.subscriptions.clear()
    for (const { end } of ended) end(code ? { code, message: code } : null)
  }

  private set(isUp: boolean) {
    if (isUp === this.isUp) return
    this.isUp = isUp
    for (const listener of this.watchers) listener(isUp)
    if (isUp) for (const subscription of this.subscriptions) this.catchUp(subscription)
  }

  private catchUp(subscription: Subscription<unknown>) {
    const since = Number(subscription.variables()['sinceVersion'])
    for (const entry of this.server.entries.slice(since)) this.pass(subscription, entry)
  }

  private tell(entry: Entry) {
    if (this.isUp) for (const subscription of this.subscriptions) this.pass(subscription, entry)
  }

  private pass(subscription: Subscription<unknown>, { version, changes, clientId, reason }: Entry) {
    if (clientId !== null && clientId === subscription.variables()['exceptClient']) return
    const save = { version, savedBy: 'other', savedAt: `at ${version}`, reason, conflicts: [] }
    const told = { ...save, changes: changes.map(written) }
    subscription.next({ workflowSaved: JSON.parse(JSON.stringify(told)) })
  }
}
