/** The words that this library speaks: documents, changes, what a caller hands in and what it sees. */

import type { Conflict, Problem, Role, SaveReason, Side, WorkflowVersion } from './contract.js'

export type { Conflict, Problem, Role, SaveReason, Side, SyncStatus } from './contract.js'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type Document = { readonly [key: string]: Json }
/** Keys of objects and ids of items of keyed lists, from the document down. */
export type Path = readonly string[]

/** Exactly one of a new value, a removal, or a new order of the keyed list at the path. */
export type Change =
  | { readonly path: Path; readonly value: Json }
  | { readonly path: Path; readonly remove: true }
  | { readonly path: Path; readonly order: readonly string[] }

/** See the picture in status.ts. */
export type Status =
  'loading' | 'idle' | 'dirty' | 'saving' | 'saved' | 'offline' | 'needs-auth' | 'conflict' | 'read-only' | 'error'

/** Where the newest edit is: on the server, in the outbox of this browser, or in this page alone. */
export type Kept = 'server' | 'device' | 'nowhere'

/** What a request is signed with; for cookies an empty object. */
export interface Auth {
  readonly headers?: Readonly<Record<string, string>>
  /** When it ends, in milliseconds since 1970; it is asked for anew before that. */
  readonly expiresAt?: number
}
/** `refresh` is true where the last answer was refused (401); null means: nobody is signed in. */
export type GetAuth = (ask: { readonly refresh: boolean }) => Auth | null | Promise<Auth | null>

/** What the server is reached by. */
export interface Connection {
  /** Of the GraphQL endpoint, such as `/graphql`. The REST route for beacons is at `/api/workflows/sync` beside it. */
  readonly endpoint: string
  readonly getAuth: GetAuth
}

export interface Subscription<Data> {
  readonly query: string
  /** Asked at each connection, so that a stream goes on where it ended. */
  readonly variables: () => Readonly<Record<string, Json>>
  readonly next: (data: Data) => void
  /** The server ended it, by this error code or (null) of itself. It is not tried again. */
  readonly end: (error: { readonly code: string; readonly message: string } | null) => void
}
/** Subscriptions of one page over one connection that mends itself. */
export interface Feed {
  /** Returns what ends it. */
  readonly subscribe: <Data>(subscription: Subscription<Data>) => () => void
  /** Says whether the connection stands, now and each time that changes. Returns what ends it. */
  readonly watch: (listener: (isConnected: boolean) => void) => () => void
  /** Let the connection go (bfcache, sleep), and take it back. */
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => void
}
export type FeedFactory = (connection: Connection) => Feed

/** What of `localStorage` is needed. */
export type SyncStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Makes of two edits of one document what the server will make of them; see `workflow-sync/merge`. */
export type Merge = (base: Document, yours: Document, theirs: Document) => Document

export interface Options<D extends Document = Document> extends Connection {
  readonly workflowId: string
  /** What a workflow that does not exist yet begins with; it is created by the first edit, or at once by `flush`. */
  readonly initial?: D
  /** The name of the workflow, where this creates it. */
  readonly name?: string
  /** Milliseconds: a pause in editing, not between keys. */
  readonly debounceMs?: number
  /** Milliseconds: the longest that an edit waits while editing goes on. */
  readonly maxWaitMs?: number
  /** Milliseconds between looks for what is still unsaved. */
  readonly periodicMs?: number
  /** False: only `flush` saves, and leaving the page. */
  readonly autosave?: boolean
  readonly storage?: SyncStorage
  /** How others' saves are heard of: `webSocketFeed`. */
  readonly feed?: FeedFactory
  /** How own unsent edits are shown on top of others': `threeWay`; by default those that still fit. */
  readonly merge?: Merge
}

export interface Snapshot<D extends Document = Document> {
  readonly workflowId: string
  /** What is shown: what the server has, with everything of one's own on top. Never edit it in place. */
  readonly document: D
  /** The version of the server that is below. */
  readonly version: number
  readonly status: Status
  readonly kept: Kept
  readonly hasUnsynced: boolean
  readonly isConnected: boolean
  readonly name: string | null
  readonly role: Role | null
  readonly savedAt: string | null
  readonly savedBy: string | null
  readonly conflicts: readonly Conflict[]
  /** Why edits were not taken, and where; they are kept on this device. */
  readonly problems: readonly Problem[]
  readonly error: { readonly code: string; readonly message: string } | null
  readonly canUndo: boolean
  readonly canRedo: boolean
}

/** What is known of a save that was committed. */
export interface Ack {
  readonly version: number
  readonly savedAt: string | null
}

export interface UpdateOptions {
  /** Edits of one step (a drag, a word) are undone together. */
  readonly step?: string
  /** That the user means it, when the last block goes. */
  readonly allowEmpty?: boolean
}

export type Version = Pick<WorkflowVersion, 'version' | 'savedBy' | 'savedAt' | 'clientId' | 'reason' | 'label'>

export interface VersionPage {
  readonly versions: readonly Version[]
  /** What `list` takes to give the next page; null at the end. */
  readonly after: string | null
}

/** The past of the workflow that is open. What it writes is announced like any save. */
export interface History {
  readonly list: (after?: string | null) => Promise<VersionPage>
  readonly at: (version: number) => Promise<Document>
  readonly diff: (from: number, to?: number) => Promise<readonly Change[]>
  readonly restore: (version: number) => Promise<Ack>
  readonly undo: (version: number) => Promise<Ack>
  readonly label: (version: number, label: string | null) => Promise<void>
}

export interface WorkflowSync<D extends Document = Document> {
  /** Who the server takes this for: another client for each workflow that is shown, and for each load of the page. */
  readonly clientId: string
  readonly getSnapshot: () => Snapshot<D>
  readonly subscribe: (listener: () => void) => () => void
  /** Show another document, or the one that a function makes of it; what is identical in both is not even looked at. */
  readonly update: (edit: D | ((document: D) => D), options?: UpdateOptions) => void
  /** Save now. Resolves once everything up to here is committed, rejects with a SyncError where that cannot be now. */
  readonly flush: (reason?: SaveReason) => Promise<Ack>
  readonly status: Status
  readonly hasUnsynced: boolean
  readonly conflicts: readonly Conflict[]
  readonly resolve: (conflictId: string, take: Side) => Promise<Ack>
  /** Try again what was not taken, or let it go. */
  readonly retry: () => void
  readonly discard: () => void
  readonly undo: () => void
  readonly redo: () => void
  readonly history: History
  /** Flush, then show another workflow. What could not be saved goes out later, from the outbox. */
  readonly switchTo: (workflowId: string, options?: { readonly initial?: D; readonly name?: string }) => Promise<void>
  /** Flush, and let everything go. */
  readonly close: () => Promise<void>
}
