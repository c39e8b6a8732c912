// Several tabs of two people edit two workflows with the client library, going from one to the other, over a network
// that loses, delays and repeats:
// `node simulation.js ADDRESS SEED EDITS TOKEN...`, a token for each person, the first of them the owner.
// It fails where something typed is not on the server in the end, is there twice, or where a tab shows anything else.

import assert from 'node:assert/strict'
import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { WebSocket } from 'ws'
import { createWorkflowSync, webSocketFeed } from '../src/index.js'
import { createRequest } from '../src/request.js'
import { threeWay } from '../src/merge/index.js'
import type { Document, Path, SyncStorage, WorkflowSync } from '../src/types.js'

const TABS_EACH = 2
const BLOCKS = 8
const PATIENCE_MS = 60_000 // for all tabs to agree in the end
const LOOK_MS = 20
const FATES = { lostOnTheWay: 0.08, lostOnTheWayBack: 0.16, twice: 0.24 } // the rest arrives once
const DELAY_MS = 12 // at most, each way
const SOCKET_LIFE_MS = 600 // at most, while the network is bad

const [address = '', seed = '1', edits = '60', ...tokens] = process.argv.slice(2)
const endpoint = `${address}/graphql`
const random = mulberry32(Number(seed))
const network = { isBad: true }

type Blocks = Readonly<Record<string, Document>>
interface Tab {
  readonly name: string
  readonly sync: WorkflowSync
  readonly storage: SyncStorage
  /** By workflow. */
  readonly typed: Readonly<Record<string, string[]>>
}

/** A small generator of random numbers that can be seeded (public domain, by Tommy Ettinger). */
function mulberry32(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const below = (most: number): number => Math.floor(random() * most)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const send = globalThis.fetch
globalThis.fetch = async (...request) => {
  if (!network.isBad) return send(...request)
  const fate = random()
  await pause(below(DELAY_MS))
  if (fate < FATES.lostOnTheWay) throw new TypeError('lost on the way')
  if (fate > FATES.lostOnTheWayBack && fate < FATES.twice) await (await send(...request)).arrayBuffer()
  const response = await send(...request)
  await pause(below(DELAY_MS))
  if (fate < FATES.lostOnTheWayBack) {
    await response.arrayBuffer()
    throw new TypeError('lost on the way back')
  }
  return response
}

/** Sockets that break, while the network is bad. */
class BreakingSocket extends WebSocket {
  constructor(...given: ConstructorParameters<typeof WebSocket>) {
    super(...given)
    this.on('error', () => undefined) // where it breaks before it stands
    setTimeout(() => network.isBad && this.terminate(), below(SOCKET_LIFE_MS)).unref()
  }
}
Object.assign(globalThis, { WebSocket: BreakingSocket })

function memory(): SyncStorage {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  }
}

function drawn(): Document {
  const ids = Array.from({ length: BLOCKS }, (_, index) => `b${index}`)
  const block = (id: string): Document => ({ id, name: id, position: { x: 0, y: 0 }, ledger: {} })
  const edges = ids.slice(1).map((id, index) => ({ id: `e${index}`, source: `b${index}`, target: id }))
  return { blocks: Object.fromEntries(ids.map((id) => [id, block(id)])), edges, loops: {}, ledger: {} }
}

const blocksOf = (document: Document): Blocks => document['blocks'] as Blocks

function changed(document: Document, id: string, part: Document): Document {
  const blocks = blocksOf(document)
  return { ...document, blocks: { ...blocks, [id]: { ...blocks[id], ...part } } }
}

const note = (tab: Tab, count: number): string => `${tab.name}-${count}`

/** Write down something that nobody else writes or removes, so that it must be found in the end. */
function noted(document: Document, key: string): Document {
  return { ...document, ledger: { ...(document['ledger'] as Document), [key]: below(1_000) } }
}

function edited(document: Document, tab: Tab, count: number): Document {
  const ids = Object.keys(blocksOf(document))
  const id = ids[below(ids.length)] ?? 'b0'
  const edges = document['edges'] as readonly Document[]
  switch (below(8)) {
    case 0:
      return changed(document, id, { name: `${tab.name} ${count}` })
    case 1:
      return changed(document, note(tab, count), { id: note(tab, count), name: 'new', position: { x: 1, y: 1 } })
    case 2:
      return ids.length < 4 ? document : without(document, id)
    case 3:
      return { ...document, edges: [...edges, { id: note(tab, count), source: id, target: ids[0] ?? id }] }
    case 4:
      return { ...document, edges: edges.filter((_, index) => index !== below(edges.length)) }
    case 5:
      return { ...document, edges: [...edges].reverse() }
    default:
      return changed(document, id, { position: { x: below(500), y: below(500) } })
  }
}

function without(document: Document, id: string): Document {
  const blocks = Object.fromEntries(Object.entries(blocksOf(document)).filter(([key]) => key !== id))
  const edges = document['edges'] as readonly Document[]
  return { ...document, blocks, edges: edges.filter(({ source, target }) => source !== id && target !== id) }
}

function opened(name: string, token: string, ids: readonly string[]): Tab {
  const storage = memory()
  const sync = createWorkflowSync({
    endpoint,
    workflowId: ids[0] ?? '',
    getAuth: () => ({ headers: { Authorization: `Bearer ${token}` } }),
    debounceMs: 15,
    maxWaitMs: 60,
    periodicMs: 200,
    storage,
    feed: webSocketFeed,
    ...(below(2) === 0 ? {} : { merge: threeWay }),
  })
  return { name, sync, storage, typed: Object.fromEntries(ids.map((id) => [id, []])) }
}

async function type(tab: Tab): Promise<void> {
  const { sync, typed } = tab
  for (let count = 0; count < Number(edits); count += 1) {
    while (sync.status === 'loading' || sync.getSnapshot().version === 0) await pause(LOOK_MS)
    sync.update((document) => noted(edited(document, tab, count), note(tab, count)))
    typed[sync.getSnapshot().workflowId]?.push(note(tab, count))
    await pause(below(40))
    if (below(15) === 0) await sync.flush().catch(() => undefined) // the network may be bad just now
    if (below(20) === 0) await sync.switchTo(Object.keys(typed)[below(2)] ?? '')
  }
}

/** Wait until every tab has nothing left to say, of what it showed before either, and shows the newest version. */
async function settled(tabs: readonly Tab[]): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const heads = await versions(tabs)
    const late = tabs.filter(({ sync, storage }) => {
      const { version, workflowId, hasUnsynced } = sync.getSnapshot()
      return hasUnsynced || storage.length > 0 || version !== heads[workflowId]
    })
    if (late.length === 0 && isDeepStrictEqual(heads, await versions(tabs))) return
    if (Date.now() > end) assert.fail(`at ${JSON.stringify(heads)}:\n${late.map(described).join('\n')}`)
    await pause(LOOK_MS)
  }
}

async function versions([tab]: readonly Tab[]): Promise<Readonly<Record<string, number>>> {
  const heads = Object.keys(tab?.typed ?? {}).map(async (id) => {
    const { workflow } = await owner<{ readonly workflow: { readonly version: number } }>(HEAD, { id })
    return [id, workflow.version]
  })
  return Object.fromEntries(await Promise.all(heads))
}

function described({ name, sync, storage }: Tab): string {
  const { workflowId, version, status, kept, problems, error } = sync.getSnapshot()
  const boxes = Array.from({ length: storage.length }, (_, index) => storage.getItem(storage.key(index) ?? ''))
  return `${name}: ${JSON.stringify({ workflowId, version, status, kept, problems, error, boxes })}`
}

interface Journal {
  readonly workflow: {
    readonly state: Document
    readonly versions: {
      readonly edges: readonly { readonly node: { readonly changes: readonly { readonly path: Path }[] } }[]
      readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
    }
  }
}

const SAVE = 'mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status } }'
const SHARE = 'mutation Share($id: ID!, $userId: ID!) { shareWorkflow(id: $id, userId: $userId, role: EDITOR) { id } }'
const HEAD = 'query Head($id: ID!) { workflow(id: $id) { version } }'
const JOURNAL = `
  query Journal($id: ID!, $after: String) {
    workflow(id: $id) {
      state
      versions(first: 50, after: $after) { edges { node { changes { path } } } pageInfo { endCursor hasNextPage } }
    }
  }`

const owner = createRequest({ endpoint, getAuth: () => ({ headers: { Authorization: `Bearer ${tokens[0] ?? ''}` } }) })

async function journal(id: string): Promise<{ readonly state: Document; readonly notes: string[] }> {
  const notes: string[] = []
  for (let after: string | null = null; ;) {
    const { workflow }: Journal = await owner(JOURNAL, { id, after })
    const changes = workflow.versions.edges.flatMap(({ node }) => node.changes)
    notes.push(...changes.flatMap(({ path: [first, note] }) => (first === 'ledger' && note ? [note] : [])))
    after = workflow.versions.pageInfo.endCursor
    if (!workflow.versions.pageInfo.hasNextPage) return { state: workflow.state, notes }
  }
}

async function simulate(): Promise<void> {
  const ids = [crypto.randomUUID(), crypto.randomUUID()]
  network.isBad = false
  for (const id of ids) {
    await owner(SAVE, { input: { id, state: drawn(), baseVersion: 0 } })
    await owner(SHARE, { id, userId: 'bob' })
  }
  network.isBad = true
  const tabs = tokens.flatMap((token, person) =>
    Array.from({ length: TABS_EACH }, (_, tab) => opened(`t${person}${tab}`, token, ids)),
  )
  await Promise.all(tabs.map(type))
  network.isBad = false
  await settled(tabs)
  for (const id of ids) {
    const { state, notes } = await journal(id)
    const typed = tabs.flatMap((tab) => tab.typed[id] ?? []).sort()
    assert.deepEqual(notes.sort(), typed, 'each edit is in the journal once')
    assert.deepEqual(Object.keys(state['ledger'] as Document).sort(), typed, 'each edit is in the document')
    for (const { name, sync } of tabs.filter(({ sync }) => sync.getSnapshot().workflowId === id)) {
      assert.deepEqual(sync.getSnapshot().document, state, `${name} shows what is stored`)
    }
  }
  await Promise.all(tabs.map(({ sync }) => sync.close()))
}

await simulate()
process.exit(0)
