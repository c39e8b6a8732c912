/** Pages that edit one workflow over a bad network, against the server's own rules: whatever happens, in any order. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collide, diff, fitting } from '../src/document.js'
import { threeWay } from '../src/merge/index.js'
import {
  answered,
  begin,
  closed,
  discarded,
  edited,
  failed,
  heard,
  isUnsynced,
  isWaiting,
  loaded,
  posted,
  reloaded,
  retried,
  segmentsOf,
  sentOf,
  type Answer,
  type News,
  type Pending,
} from '../src/pending.js'
import type { Change, Document, Json, Merge } from '../src/types.js'
import { letterOf } from '../src/wire.js'
import type { SyncWorkflowInput } from '../src/contract.js'
import { BAD, FakeServer, Refusal, written, type Payload } from './server.js'
import { changeOf } from '../src/wire.js'

const NOW = 1_000
const FIRST: Document = {
  blocks: { a: { x: 0, y: 0 }, b: { x: 0, y: 0 }, c: { x: 0, y: 0 } },
  edges: [
    { id: 'e', source: 'a', target: 'b' },
    { id: 'f', source: 'b', target: 'c' },
  ],
  tokens: {},
  name: 'first',
}

type Blocks = { readonly [id: string]: Document }
interface Edge {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly [key: string]: Json
}

const pick = <T>(from: readonly T[], dice: number): T | undefined => from[dice % Math.max(1, from.length)]

/** Make another document, as a user does in one go; `dice` says what, `token` is new in the whole session. */
function redrawn(document: Document, dice: number, token: string): Document {
  const blocks = (document['blocks'] ?? {}) as Blocks
  const edges = (document['edges'] ?? []) as readonly Edge[]
  const ids = Object.keys(blocks)
  const value = (dice >> 9) % 2 // few, so that others come back to what was there
  const id = pick(ids, dice >> 4) ?? 'a'
  const tokens = { ...(document['tokens'] as Document), [token]: 1 }
  const rest = { ...document, tokens }
  const edge = { id: `${pick(['g', 'h', token], dice >> 6)}`, source: id, target: pick(ids, dice >> 8) ?? id }
  switch (dice % 9) {
    case 0:
    case 1:
      return { ...rest, blocks: { ...blocks, [id]: { ...blocks[id], x: value } } }
    case 2:
      return { ...rest, blocks: { ...blocks, [id]: { ...blocks[id], y: value } } }
    case 3:
      return { ...rest, blocks: { ...blocks, [pick(['d', token], dice >> 5) ?? '']: { x: dice, y: 1 } } }
    case 4: {
      const { [id]: _, ...others } = blocks
      return { ...rest, blocks: others, edges: edges.filter(({ source, target }) => source !== id && target !== id) }
    }
    case 5:
      return { ...rest, edges: [...edges.filter((each) => each.id !== edge.id), edge] }
    case 6:
      return { ...rest, edges: edges.slice(1) }
    case 7:
      return { ...rest, edges: [...edges].reverse(), lastSaved: dice }
    default:
      return { ...rest, name: dice % 4 ? `name ${value}` : BAD }
  }
}

/** Not a new order, nor the time by somebody's clock: these never conflict. */
const isEdit = (change: Change) => !('order' in change || change.path[0] === 'lastSaved')

/** One page, and what is on its way to it and from it. */
class Tab {
  pending: Pending
  heardUpTo: number
  requests: (readonly SyncWorkflowInput[])[] = []
  answers: { readonly sequence: number; readonly answer: Payload }[] = []
  readings: { readonly before: number; readonly version: number; readonly state: Document }[] = []
  /** Of each own edit that is to be in the journal: its token. */
  tokens = new Set<string>()
  /** What this user touched, the version that was seen then, what was on the screen, and after which save. */
  touched: {
    readonly changes: readonly Change[]
    readonly seen: number
    readonly screen: Document
    readonly last: number
  }[] = []

  constructor(
    readonly server: FakeServer,
    readonly clientId: string,
    readonly merge: Merge | undefined,
  ) {
    this.pending = this.begun()
    this.heardUpTo = server.version
  }

  begun() {
    const { version, state: confirmed } = this.server
    return begin({ clientId: this.clientId, version, confirmed, last: 0, ...(this.merge && { merge: this.merge }) })
  }

  edit(dice: number, token: string) {
    const view = redrawn(this.pending.view, dice, token)
    const { view: screen, version: seen, last } = this.pending
    this.touched.push({ changes: diff(screen, view), seen, screen, last })
    this.tokens.add(token)
    this.pending = edited(this.pending, view, NOW, true)
  }

  /** Send the next save; again, if it was not answered. */
  send() {
    if (!isWaiting(this.pending)) this.pending = closed(this.pending)
    this.post(false)
  }

  unload() {
    this.pending = closed(this.pending)
    this.post(true)
  }

  private post(all: boolean) {
    const before = sentOf(this.pending)
    this.pending = posted(this.pending, NOW, all)
    const segments = sentOf(this.pending)
    const { inputs } = letterOf('w', all ? segments : segments.slice(0, 1)).variables
    if (inputs.length) this.requests.push(inputs)
    for (const { sequence, base, changes } of segments) {
      if (!before.some((each) => each.sequence === sequence)) this.checkHonesty(base, changes ?? [])
    }
  }

  /**
   * Nobody says to have seen what was not on the screen when the edit was made, nor was told of as a conflict. What
   * others wrote was on the screen, too, where the page itself had written the same, or where they took it back.
   */
  private checkHonesty(base: number, changes: readonly Change[]) {
    for (const change of changes.filter(isEdit)) {
      const edits = this.touched.filter((edit) => collide(edit.changes, [change]))
      const { seen, last } = edits.at(-1) ?? { seen: base, last: 0 }
      const screens = edits.filter((edit) => edit.last === last).map(({ screen }) => screen)
      const since = this.server.entries.slice(seen, base)
      const [then, now = {}] = [this.server.states[seen] ?? {}, this.server.states[base]]
      if (!collide(diff(then, now).filter(isEdit), [change])) continue
      const isShown = (theirs: Change) => screens.some((screen) => !diff(screen, fitting(screen, [theirs])).length)
      const met = since.filter(({ clientId, changes }) => {
        const counting = changes.filter((each) => isEdit(each) && (clientId === this.clientId || !isShown(each)))
        return collide(counting, [change])
      })
      const own = met.map(({ clientId }) => clientId).lastIndexOf(this.clientId)
      expect(met.slice(own + 1)).toEqual([])
    }
  }

  arrive(dice: number) {
    const inputs = pick(this.requests, dice)
    const [first] = inputs ?? []
    if (!inputs || !first) return
    if (inputs.length === 1) {
      try {
        this.answers.push({ sequence: first.sequence ?? 0, answer: this.server.sync(first) })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        this.pending = failed(this.pending, first.sequence ?? 0, error.code, error.code)
      }
      return
    }
    const answers = this.server.syncAll(inputs)
    answers.forEach((answer, place) => this.answers.push({ sequence: inputs[place]?.sequence ?? 0, answer }))
  }

  take(dice: number) {
    const taken = pick(this.answers, dice)
    if (!taken) return
    const answer = { ...taken.answer, changes: taken.answer.changes.map(changeOf) } as unknown as Answer
    this.pending = answered(this.pending, taken.sequence, answer)
    if (dice % 3) this.answers = this.answers.filter((each) => each !== taken)
  }

  hear() {
    const entry = this.server.entries[this.heardUpTo]
    if (!entry) return
    this.heardUpTo = entry.version
    if (entry.clientId === this.clientId) return
    const news: News = { version: entry.version, changes: entry.changes.map(written).map(changeOf) }
    this.pending = heard(this.pending, news)
  }

  reconnect() {
    this.heardUpTo = this.pending.version
  }

  read() {
    this.readings.push({ before: this.pending.version, version: this.server.version, state: this.server.state })
  }

  takeReading() {
    const reading = this.readings.shift()
    if (reading && (reading.version >= this.pending.version || reading.before === this.pending.version)) {
      this.pending = reloaded(this.pending, reading.version, reading.state)
    }
  }

  /** The page is loaded again, or another one takes over what it left. */
  restart() {
    this.pending = loaded(this.begun(), segmentsOf(this.pending))
    this.heardUpTo = this.server.version
    this.answers = []
    this.readings = []
  }

  /** Let go of what is refused. */
  discard() {
    const given = this.pending.layers.filter(({ segment }) => segment.refused)
    for (const { segment } of given) {
      for (const { path } of segment.changes ?? []) if (path[0] === 'tokens') this.tokens.delete(path[1] ?? '')
      if (!segment.changes) this.tokens.clear()
    }
    this.pending = discarded(this.pending)
  }

  settle() {
    this.discard()
    this.pending = closed(this.pending)
    for (let round = 0; isWaiting(this.pending); round++) {
      expect(round).toBeLessThan(100)
      this.requests = []
      this.answers = []
      this.send()
      this.arrive(0)
      this.take(1)
      this.discard()
    }
    this.read()
    this.readings = this.readings.slice(-1)
    this.takeReading()
  }

  check() {
    const { confirmed, version } = this.pending
    expect(confirmed).toEqual(this.server.states[version])
    if (isUnsynced(this.pending)) return
    const tokens = (this.server.state['tokens'] ?? {}) as Document
    expect([...this.tokens].filter((token) => !(token in tokens))).toEqual([])
    if (!this.pending.isStale && !this.pending.queue.length) expect(this.pending.view).toEqual(confirmed)
  }
}

const STEPS: readonly ((tab: Tab, dice: number, token: string) => void)[] = [
  (tab, dice, token) => tab.edit(dice, token),
  (tab, dice, token) => tab.edit(dice, token),
  (tab) => tab.send(),
  (tab) => tab.send(),
  (tab, dice) => tab.arrive(dice),
  (tab, dice) => tab.arrive(dice),
  (tab, dice) => tab.arrive(dice),
  (tab, dice) => tab.take(dice),
  (tab, dice) => tab.take(dice),
  (tab, dice) => tab.take(dice),
  (tab) => tab.hear(),
  (tab) => tab.hear(),
  (tab) => tab.hear(),
  (tab) => tab.unload(),
  (tab) => tab.restart(),
  (tab) => tab.reconnect(),
  (tab) => tab.read(),
  (tab) => tab.takeReading(),
  (tab) => tab.discard(),
  (tab) => void (tab.pending = retried(tab.pending)),
  (tab, dice, token) => void tab.server.write((state) => redrawn(state, dice, token)),
]

const session = fc.array(fc.record({ tab: fc.nat(2), step: fc.nat(STEPS.length - 1), dice: fc.nat(4_095) }), {
  minLength: 5,
  maxLength: 80,
})

const play = (merge: Merge | undefined) => (steps: readonly { tab: number; step: number; dice: number }[]) => {
  const server = new FakeServer()
  server.write(() => FIRST)
  const tabs = ['one', 'two', 'three'].map((name) => new Tab(server, name, merge))
  steps.forEach(({ tab, step, dice }, place) => {
    const acting = tabs[tab]
    if (!acting) return
    STEPS[step]?.(acting, dice, `token ${place}`)
    for (const each of tabs) each.check()
  })
  for (const tab of tabs) tab.settle()
  for (const tab of tabs) tab.settle()
  for (const tab of tabs) {
    while (tab.heardUpTo < server.version) tab.hear()
    expect(tab.pending).toMatchObject({ isStale: false, layers: [], open: [], version: server.version })
    expect(tab.pending.view).toEqual(server.state)
    tab.check()
  }
  const journal = server.entries.flatMap(({ changes }) => changes.map(({ path }) => path.join()))
  const once = journal.filter((path) => path.startsWith('tokens,'))
  expect(new Set(once).size).toBe(once.length)
}

const FOUND = {
  'two who write the same, one of whom goes on writing': [
    { tab: 1, step: 0, dice: 3311 },
    { tab: 1, step: 2, dice: 0 },
    { tab: 0, step: 0, dice: 170 },
    { tab: 1, step: 0, dice: 1988 },
  ],
  'somebody who takes back what they wrote': [
    { tab: 0, step: 20, dice: 2754 },
    { tab: 0, step: 20, dice: 162 },
    { tab: 0, step: 0, dice: 0 },
    { tab: 0, step: 13, dice: 0 },
    { tab: 0, step: 0, dice: 3334 },
  ],
  'two who write the same, one of whom writes twice more': [
    { tab: 2, step: 0, dice: 2789 },
    { tab: 0, step: 0, dice: 1817 },
    { tab: 2, step: 13, dice: 0 },
    { tab: 2, step: 0, dice: 2501 },
    { tab: 2, step: 0, dice: 656 },
  ],
  'two who write the same, one of whom heard of something else meanwhile': [
    { tab: 2, step: 0, dice: 530 },
    { tab: 0, step: 20, dice: 0 },
    { tab: 2, step: 10, dice: 0 },
    { tab: 0, step: 0, dice: 0 },
    { tab: 2, step: 2, dice: 0 },
    { tab: 0, step: 0, dice: 2006 },
    { tab: 2, step: 0, dice: 1088 },
  ],
}
const RUNS = Number(process.env['RUNS'] ?? 300)
const PATIENCE_MS = 5_000 + 50 * RUNS
const examples = Object.values(FOUND).map((steps): [typeof steps] => [steps])

test(
  'pages always end at what the server has, and lose nothing, whatever order things come in',
  () => {
    fc.assert(fc.property(session, play(undefined)), { numRuns: RUNS, examples })
  },
  PATIENCE_MS,
)

test(
  'so do pages that show what the server will make of their edits',
  () => {
    fc.assert(fc.property(session, play(threeWay)), { numRuns: RUNS, examples })
  },
  PATIENCE_MS,
)
