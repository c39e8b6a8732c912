/** The outbox: what is not on the server yet, kept in this browser until it is. */

import { transact } from './database.js'
import type { Change, Document, Kept, Problem, Role, SaveReason, SyncStorage } from './types.js'

/** One save. Once it was sent, the server takes it again only with the same base, changes, reason, mode and name. */
export interface Segment {
  readonly clientId: string
  readonly sequence: number
  /** The version that the page had when the edits were made. */
  readonly base: number
  readonly changes: readonly Change[] | null
  /** The whole document, where this creates the workflow. */
  readonly state: Document | null
  readonly name?: string
  /** When its newest edit was made, in milliseconds since 1970. */
  readonly at: number
  readonly sent: boolean
  readonly allowEmpty: boolean
  /** With which reason and mode it was sent. */
  readonly reason?: SaveReason
  readonly mode?: 'MERGE' | 'STRICT'
  /** Why the server did not take it: it waits for the user. */
  readonly refused?: readonly Problem[]
}

/** What one tab has to send of one workflow, oldest first. */
export interface Box {
  readonly user: string
  readonly endpoint: string
  readonly workflowId: string
  readonly clientId: string
  readonly segments: readonly Segment[]
}

export interface BoxName {
  readonly key: string
  readonly clientId: string
  readonly workflowId: string
}

export interface Outbox {
  /** Keep a box, without waiting. `nowhere`: not yet; `onKept` tells what became of it. Without segments it is removed. */
  readonly write: (box: Box) => Kept
  readonly remove: (clientId: string, workflowId: string) => void
  /** Boxes of every tab and user. */
  readonly list: () => Promise<readonly BoxName[]>
  /** Null where there is none, or none that can be understood, which is left alone. */
  readonly read: (clientId: string, workflowId: string) => Promise<Box | null>
  /** Whether what this page wrote for a client is still what is kept: nobody else sent any of it. */
  readonly isUntouched: (clientId: string) => Promise<boolean>
}

export const PREFIX = 'workflow-sync:outbox:'
const MOST_COPIES = 50 // of documents; beyond them all go, so that a browser is not filled with what is only a comfort

/** `storage` is localStorage by default. `onKept` tells of boxes that `write` could not keep at once. */
export function createOutbox(given: SyncStorage | undefined, onKept: (kept: Kept, box: Box) => void): Outbox {
  const storage = given ?? localStorageIfAny()
  const stamps = new Map<string, number>() // of the newest that this page wrote, by key: which of two copies counts
  const spilled = new Set<string>() // keys that are in IndexedDB, too
  let stamp = 0
  let spilling: Promise<unknown> = Promise.resolve()

  const keepLocally = (key: string, text: string): boolean => {
    try {
      storage?.setItem(key, text)
      return storage !== undefined
    } catch {
      return false
    }
  }

  const spill = async (key: string, text: string, box: Box) => {
    const mine = stamp
    spilled.add(key)
    const isKept = await transact('outbox', (store) => store.put(text, key)).then(() => true, () => false)
    if (stamps.get(key) !== mine) return
    if (!isKept) stamps.delete(key)
    onKept(isKept ? 'device' : 'nowhere', box)
  }

  const write = (box: Box): Kept => {
    const key = keyOf(box.clientId, box.workflowId)
    if (!box.segments.length) return remove(box.clientId, box.workflowId), 'device'
    stamp = Math.max(stamp + 1, Date.now())
    stamps.set(key, stamp)
    const text = JSON.stringify({ ...box, stamp })
    if (keepLocally(key, text)) return 'device'
    spilling = spill(key, text, box)
    return 'nowhere'
  }

  const remove = (clientId: string, workflowId: string) => {
    const key = keyOf(clientId, workflowId)
    stamps.delete(key)
    try {
      storage?.removeItem(key)
    } catch {
      // It is sent once more some day, and answered as it was.
    }
    if (spilled.delete(key)) transact('outbox', (store) => store.delete(key)).catch(() => {})
  }

  const localKeys = (): readonly string[] => {
    try {
      return Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '')
    } catch {
      return []
    }
  }

  const list = async () => {
    const keys = await transact('outbox', (store) => store.getAllKeys()).catch(() => [])
    return [...new Set([...localKeys(), ...keys.map(String)])].flatMap(nameOf)
  }

  const localRecord = (key: string): Stamped | null => {
    try {
      return parse(storage?.getItem(key))
    } catch {
      return null
    }
  }

  /** Of the two copies, the one that was written last. */
  const record = async (key: string): Promise<Stamped | null> => {
    const local = localRecord(key)
    const other = parse(await transact('outbox', (store) => store.get(key)).catch(() => null))
    if (other) spilled.add(key)
    return other && !(local && local.stamp >= other.stamp) ? other : local
  }

  const read = async (clientId: string, workflowId: string) => {
    const box = await record(keyOf(clientId, workflowId))
    return box?.clientId === clientId && box.workflowId === workflowId ? box : null
  }

  const isUntouched = async (clientId: string) => {
    await spilling
    const own = [...stamps].filter(([key]) => key.startsWith(keyOf(clientId, '')))
    const found = await Promise.all(own.map(async ([key, mine]) => (await record(key))?.stamp === mine))
    return !found.includes(false)
  }

  return { write, remove, list, read, isUntouched }
}

type Stamped = Box & { readonly stamp: number }

/** A page that may not keep anything throws at the mere name. */
function localStorageIfAny(): SyncStorage | undefined {
  try {
    return globalThis.localStorage
  } catch {
    return undefined
  }
}

const keyOf = (clientId: string, workflowId: string) => `${PREFIX}${clientId}:${workflowId}`

/** The client that a key of the outbox names. */
export const clientOf = (key: string): string => key.slice(PREFIX.length).split(':', 1).join()

function nameOf(key: string): BoxName[] {
  if (!key.startsWith(PREFIX)) return []
  const clientId = clientOf(key)
  return [{ key, clientId, workflowId: key.slice(keyOf(clientId, '').length) }]
}

function parse(text: unknown): Stamped | null {
  try {
    const box: Stamped | null = JSON.parse(String(text))
    return box?.segments.length && box.segments.every(isSegment) ? box : null
  } catch {
    return null
  }
}

const isSegment = ({ clientId, sequence, base, changes, state }: Segment) =>
  typeof clientId === 'string' && sequence > 0 && base >= 0 && (changes ? changes.every(isChange) : state)

const isChange = ({ path }: Change) => Array.isArray(path)

/** What a page shows of a workflow while the server cannot be reached. */
export interface Copy {
  readonly version: number
  readonly document: Document
  readonly name: string | null
  readonly role: Role | null
}

/** Keep a copy of what the server confirmed (null: forget it). Never throws: it is a comfort, not a promise. */
export async function keepDocument(workflowId: string, user: string, copy: Copy | null): Promise<void> {
  await transact('documents', (store) => {
    const count = store.count()
    count.onsuccess = () => {
      if (count.result >= MOST_COPIES) store.clear()
      store.put(JSON.stringify(copy && { ...copy, user }), workflowId)
    }
    return count
  }).catch(() => {})
}

/** The copy of a workflow, and whose it is; null where there is none, or somebody else's than `user`. */
export async function readDocument(workflowId: string, user?: string): Promise<(Copy & { readonly user: string }) | null> {
  const text = await transact('documents', (store) => store.get(workflowId)).catch(() => null)
  const copy: (Copy & { readonly user: string }) | null = JSON.parse(text ?? 'null')
  return user === undefined || copy?.user === user ? copy : null
}
