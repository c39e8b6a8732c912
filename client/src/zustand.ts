/** A zustand store, a part of which is a workflow: what is set there is saved, and what others save appears there. */

import type { StateCreator, StoreApi, StoreMutatorIdentifier } from 'zustand/vanilla'
import { attempt } from './attempt.js'
import { own, same } from './document.js'
import { jsonOf } from './json.js'
import type { Document, Json, WorkflowSync } from './types.js'

/** Keys that the store and the document have both; or what is saved of the state, and what a document makes of it. */
export type StoreMapping<T, D extends Document = Document> =
  | readonly Extract<keyof T, string>[]
  | { readonly read: (state: T) => Document; readonly write: (document: D) => Partial<T> }

export interface StoreOptions<T, D extends Document = Document> {
  readonly client: WorkflowSync<D>
  readonly mapping: StoreMapping<T, D>
  /** That a store without any block is meant to be, and no accident: otherwise the server refuses to save that. */
  readonly allowEmpty?: boolean
}

declare module 'zustand/vanilla' {
  interface StoreMutators<S, A> {
    'workflow-sync': S & { readonly sync: A }
  }
}

type Mutators = [StoreMutatorIdentifier, unknown][]
type Middleware = <T, D extends Document = Document, Before extends Mutators = [], After extends Mutators = []>(
  config: StateCreator<T, [...Before, ['workflow-sync', WorkflowSync<D>]], After>,
  options: StoreOptions<NoInfer<T>, D>,
) => StateCreator<T, Before, [['workflow-sync', WorkflowSync<D>], ...After]>

/**
 * Middleware: the part of the state that `mapping` names is the document of `client`, which is `store.sync`. All else
 * never leaves the store, and functions never do. What is set before the document is here is no edit of it.
 * With `persist` leave that part out by `partialize`; `client` keeps it on the device, and knows how old it is.
 */
export const workflowSync = (<T, D extends Document>(config: StateCreator<T>, options: StoreOptions<T, D>) =>
  (...[set, get, store]: Parameters<StateCreator<T>>): T => {
    Object.assign(store, { sync: options.client })
    const initial = config(set, get, store)
    return { ...initial, ...connect(store, initial, options) }
  }) as unknown as Middleware

/** Let the store and its client follow each other. Gives what the state is to begin with. */
function connect<T, D extends Document>(store: StoreApi<T>, initial: T, options: StoreOptions<T, D>): Partial<T> {
  const { client, allowEmpty = false } = options
  const { read, write } = 'read' in options.mapping ? options.mapping : byKeys<T, D>(options.mapping, initial)
  let shown = client.getSnapshot().workflowId
  let isReceiving = false

  const send = (state: T, before: T) => {
    const edits = newsOf(read(state), read(before))
    if (!edits.length) return
    const edit = (document: D) => withEdits(document, edits) as D
    attempt(() => client.update(edit, { allowEmpty })) // why not is in the snapshot
  }

  /** What of the document the state does not say yet. */
  const unseen = (state: T): Partial<T> => {
    const { document, version, status, workflowId } = client.getSnapshot()
    const isAway = status === 'loading' || (version === 0 && !Object.keys(document).length)
    if (isAway && workflowId === shown) return {}
    shown = workflowId
    const told = Object.entries(write(document)) as [keyof T, T[keyof T]][]
    return Object.fromEntries(told.filter(([key, value]) => !same(jsonOf(value), jsonOf(state[key])))) as Partial<T>
  }

  const receive = () => {
    const news = unseen(store.getState())
    if (!Object.keys(news).length) return
    isReceiving = true
    attempt(() => store.setState(news)) // the storage of `persist` may be full
    isReceiving = false
  }

  store.subscribe((state, before) => {
    const isEcho = isReceiving
    isReceiving = false // what other listeners set in turn is no echo
    if (isEcho) return
    if (!before || isHydrating(store as Persisted))
      queueMicrotask(receive) // the document is newer than what was kept
    else send(state, before)
  })
  client.subscribe(receive)
  return unseen(initial)
}

/** A key that the document does not have is as it was at first. */
const byKeys = <T, D extends Document>(keys: readonly Extract<keyof T, string>[], initial: T) => ({
  read: (state: T): Document =>
    Object.fromEntries(keys.flatMap((key) => (state[key] === undefined ? [] : [[key, state[key] as Json]]))),
  write: (document: D): Partial<T> =>
    Object.fromEntries(keys.map((key) => [key, own(document, key) ?? initial[key]])) as Partial<T>,
})

type Edits = readonly (readonly [string, Json | undefined])[]

const newsOf = (state: Document, before: Document): Edits =>
  Object.keys({ ...before, ...state })
    .map((key) => [key, jsonOf(own(state, key)), jsonOf(own(before, key))] as const)
    .flatMap(([key, now, then]) => (now === then ? [] : [[key, now] as const]))

const withEdits = (document: Document, edits: Edits): Document => {
  const gone = new Set(edits.flatMap(([key, value]) => (value === undefined ? [key] : [])))
  const edited = Object.entries({ ...document, ...Object.fromEntries(edits) } as Document)
  return Object.fromEntries(edited.filter(([key]) => !gone.has(key)))
}

interface Persisted {
  readonly persist?: {
    readonly hasHydrated: () => boolean
    readonly getOptions: () => { readonly skipHydration?: boolean | undefined }
  }
}

const isHydrating = ({ persist }: Persisted): boolean =>
  persist !== undefined && !persist.hasHydrated() && !persist.getOptions().skipHydration
