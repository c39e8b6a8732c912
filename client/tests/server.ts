/** The server as far as a client sees it: the same rules, in memory, without a database, users or a network. */

import type * as Server from '../src/contract.js'
import { PathError, apply, diff, fitting } from '../src/document.js'
import { merge } from '../src/merge/index.js'
import type { Change, Document, Json, SyncStatus } from '../src/types.js'

export const ME = 'me'
/** A value that this server does not take. */
export const BAD = 'bad'

export interface Entry {
  readonly version: number
  readonly changes: readonly Change[]
  readonly clientId: string | null
  readonly reason: string
}

type Input = Server.SyncWorkflowInput
export type Payload = Omit<Server.SyncWorkflowPayload, 'workflow' | 'repairs' | 'conflicts'> & {
  readonly conflicts: readonly Omit<Server.Conflict, 'theirsAt'>[]
}

interface Client {
  last: number
  readonly answers: Map<number, { readonly digest: string; readonly answer: Payload }>
}

export class Refusal extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value))

const isOnlyClock = (changes: readonly Change[]) => changes.every(({ path }) => path[0] === 'lastSaved')

/** One workflow. */
export class FakeServer {
  readonly id = 'w'
  readonly entries: Entry[] = []
  readonly states: Document[] = [{}]
  readonly clients = new Map<string, Client>()
  /** Every save that was decided, by client and sequence, with how often. */
  readonly decided = new Map<string, number>()
  conflicts: Payload['conflicts'][number][] = []
  onSave = (_entry: Entry) => {}

  get version() {
    return this.entries.length
  }

  get state(): Document {
    return this.states[this.version] ?? {}
  }

  /** Decide one save, or answer it again. Throws Refusal. */
  sync(sent: Input): Payload {
    const input: Input = copy(sent)
    const client = this.client(input.clientId ?? '')
    const { sequence = null } = input
    const digest = JSON.stringify(input)
    const before = sequence === null ? undefined : client.answers.get(sequence)
    if (before) {
      if (before.digest !== digest) throw new Refusal('BAD_USER_INPUT')
      return { ...before.answer, replayed: true, lastSequence: client.last }
    }
    if (!this.version && input.baseVersion) throw new Refusal('NOT_FOUND')
    if (sequence !== null && sequence !== client.last + 1) return this.answer('OUT_OF_ORDER', client.last)
    const answer = { ...this.decide(input), lastSequence: sequence ?? client.last }
    if (sequence !== null) {
      client.last = sequence
      client.answers.set(sequence, { digest, answer })
      for (const old of client.answers.keys()) if (old <= sequence - 16) client.answers.delete(old)
      const key = `${input.clientId} ${sequence}`
      this.decided.set(key, 1 + (this.decided.get(key) ?? 0))
    }
    return copy(answer)
  }

  /** Several in order. What fails stops the rest. */
  syncAll(inputs: readonly Input[]): Payload[] {
    let isStopped = false
    return inputs.map((input) => {
      const answer = isStopped ? this.refusal('SKIPPED') : this.tried(input)
      isStopped ||= answer.status === 'REJECTED'
      return answer
    })
  }

  /** A save by whatever else there is. */
  write(edit: (state: Document) => Document, clientId: string | null = null): Entry {
    const changes = diff(this.state, edit(this.state))
    return this.append(changes, clientId, 'MANUAL')
  }

  private tried(input: Input): Payload {
    try {
      return this.sync(input)
    } catch (error) {
      if (error instanceof Refusal) return this.refusal(error.code)
      throw error
    }
  }

  private client(id: string): Client {
    const client = this.clients.get(id) ?? { last: 0, answers: new Map() }
    this.clients.set(id, client)
    return client
  }

  private answer(status: SyncStatus, lastSequence: number | null, more: Partial<Payload> = {}): Payload {
    return {
      status,
      lastSequence,
      id: this.id,
      version: this.version,
      savedAt: null,
      replayed: false,
      changes: [],
      conflicts: [],
      problems: [],
      ...more,
    }
  }

  private refusal(code: string): Payload {
    return this.answer('REJECTED', null, { version: 0, problems: [{ path: [], code, message: code }] })
  }

  private decide(input: Input): Payload {
    const base = input.baseVersion ?? 0
    if (base > this.version) return this.answer('RESYNC', null)
    const { document, isAlone } = this.base(base, input.clientId ?? '')
    const changes = input.changes?.map(changeOf) ?? diff(document, input.state as Document)
    const bad = changes.filter((change) => 'value' in change && JSON.stringify(change.value).includes(BAD))
    if (bad.length) {
      const problems = bad.map(({ path }) => ({ path, code: 'BAD', message: 'Bad.' }))
      return this.answer('REJECTED', null, { problems })
    }
    try {
      return this.merged(input, document, apply(document, changes), base, isAlone)
    } catch (error) {
      if (!(error instanceof PathError)) throw error
      const problem = { path: error.path, code: 'PATH', message: 'Nothing there.' }
      return this.answer('REJECTED', null, { problems: [problem] })
    }
  }

  /** The state at a version with the client's own later saves. */
  private base(version: number, clientId: string): { readonly document: Document; readonly isAlone: boolean } {
    const since = this.entries.slice(version)
    const own = since.filter((entry) => entry.clientId === clientId)
    if (own.length === since.length) return { document: this.state, isAlone: true }
    const document = fitting(
      this.states[version] ?? {},
      own.flatMap(({ changes }) => changes),
    )
    return { document, isAlone: false }
  }

  private merged(input: Input, base: Document, yours: Document, version: number, isAlone: boolean): Payload {
    const theirs = this.state
    if (isOnlyClock(diff(base, yours)) || isOnlyClock(diff(theirs, yours))) {
      return this.answer('UNCHANGED', null, { changes: diff(yours, theirs).map(written) })
    }
    const between = this.states.slice(version + 1, this.version)
    const { document, conflicts } = isAlone ? { document: yours, conflicts: [] } : merge(base, yours, theirs, between)
    const told = conflicts.map(({ path, winner }) => this.conflict(path, winner))
    if (input.mode === 'STRICT' && told.length) {
      this.conflicts.push(this.conflict([], 'THEIRS'))
      return this.answer('CONFLICT', null, { changes: diff(yours, theirs).map(written) })
    }
    this.conflicts.push(...told)
    const news = diff(theirs, document)
    const answer = diff(yours, document).map(written)
    if (isOnlyClock(news)) {
      return this.answer('UNCHANGED', null, { changes: diff(yours, theirs).map(written), conflicts: told })
    }
    this.append(news, input.clientId ?? null, input.reason ?? 'MANUAL')
    const status = this.version === 1 ? 'CREATED' : answer.length || told.length ? 'MERGED' : 'SAVED'
    return this.answer(status, null, { changes: answer, conflicts: told, savedAt: `at ${this.version}` })
  }

  private conflict(path: readonly string[], winner: 'YOURS' | 'THEIRS'): Payload['conflicts'][number] {
    const value: Json = null
    return {
      id: `conflict ${this.conflicts.length}`,
      path,
      winner,
      base: value,
      baseAbsent: true,
      theirs: value,
      theirsAbsent: true,
      yours: value,
      yoursAbsent: true,
      yoursBy: ME,
      theirsBy: 'other',
      theirsVersion: this.version,
    }
  }

  private append(changes: readonly Change[], clientId: string | null, reason: string): Entry {
    const entry = { version: this.version + 1, changes, clientId, reason }
    this.states.push(apply(this.state, changes))
    this.entries.push(entry)
    this.onSave(entry)
    return entry
  }
}

const changeOf = ({ path, value, remove, order }: Server.ChangeInput): Change =>
  order ? { path, order } : remove ? { path, remove } : { path, value: value ?? null }

/** A change as the server tells it. */
export const written = (change: Change): Server.Change => ({
  value: null,
  remove: false,
  order: null,
  ...change,
})
