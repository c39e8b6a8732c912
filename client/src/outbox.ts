/**
 * The outbox: what is not on the server yet, kept in this browser until it is. It is in localStorage at once, as a page
 * may end at any moment, and in IndexedDB a little later, as the browser may, too; where localStorage is full, in
 * IndexedDB alone.
 */

import { attempt } from './attempt.js'
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
const COPY_MS = 200 // browsers write localStorage to the disk only seconds later, but IndexedDB at once
const MOST_COPIES = 50 // of documents; beyond them all go, so that a browser is not filled with what is only a comfort

/** `given` is localStorage by default. `onKept` tells of boxes that `write` could not keep at once. */
export function createOutbox(given: SyncStorage | undefined, onKept: (kept: Kept, box: Box) => void): Outbox {
  const storage = given ?? attempt(() => localStorage)
  const texts = new Map<string, string>() // what this page wrote, by key
  const spilled = new Set<string>() // keys that are in IndexedDB alone
  const copied = new Set<string>() // keys that may be there, too
  const copying = new Set<string>() // keys that will be
  let spilling: Promise<unknown> = Promise.resolve()

  const spill = async (key: string, text: string, box: Box) => {
    spilled.add(key)
    const isKept = Boolean(await put(key, text))
    if (texts.get(key) !== text) return // a later write tells
    if (isKept) attempt(() => storage?.removeItem(key))
    else texts.delete(key)
    onKept(isKept ? 'device' : 'nowhere', box)
  }

  const put = (key: string, text: string) => {
    copied.add(key)
    return transact('outbox', (store) => store.put(text, key))
  }

  /** For whoever loses not only the page, but the browser or the computer. */
  const copy = (key: string) => {
    copying.delete(key)
    const text = texts.get(key)
    if (text !== undefined && local(key) === text) void put(key, text)
  }

  const write = (box: Box): Kept => {
    const key = keyOf(box.clientId, box.workflowId)
    if (!box.segments.length) {
      remove(box.clientId, box.workflowId)
      return 'device'
    }
    const text = JSON.stringify(box)
    texts.set(key, text)
    if (storage && attempt(() => (storage.setItem(key, text), true))) {
      spilled.delete(key)
      if (!copying.has(key)) setTimeout(copy, COPY_MS, key)
      copying.add(key)
      return 'device'
    }
    spilling = spill(key, text, box)
    return 'nowhere'
  }

  const remove = (clientId: string, workflowId: string) => {
    const key = keyOf(clientId, workflowId)
    texts.delete(key)
    spilled.delete(key)
    attempt(() => storage?.removeItem(key))
    if (copied.delete(key)) void transact('outbox', (store) => store.delete(key))
  }

  const list = async () => {
    const keys = attempt(() => Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index)))
    const others = await transact('outbox', (store) => store.getAllKeys())
    return [...new Set([...(keys ?? []), ...(others ?? [])])].flatMap(nameOf)
  }

  const local = (key: string) => attempt(() => storage?.getItem(key))

  const indexed = (key: string) => transact('outbox', (store) => store.get(key))

  /** The newer of two. */
  const read = async (clientId: string, workflowId: string) => {
    const key = keyOf(clientId, workflowId)
    const other = parsed(await indexed(key))
    const box = parsed(local(key))
    if (!other) return box
    copied.add(key)
    return box && endOf(box) >= endOf(other) ? box : other
  }

  const isUntouched = async (clientId: string) => {
    await spilling
    const own = [...texts].filter(([key]) => clientOf(key) === clientId)
    const found = await Promise.all(own.map(([key]) => (spilled.has(key) ? indexed(key) : local(key))))
    return own.every(([, text], place) => found[place] === text)
  }

  return { write, remove, list, read, isUntouched }
}

const keyOf = (clientId: string, workflowId: string) => `${PREFIX}${clientId}:${workflowId}`

/** The client that a key of the outbox names. */
export const clientOf = (key: string): string => key.slice(PREFIX.length).split(':', 1).join()

function nameOf(key: unknown): BoxName[] {
  if (typeof key !== 'string' || !key.startsWith(PREFIX)) return []
  const clientId = clientOf(key)
  return [{ key, clientId, workflowId: key.slice(keyOf(clientId, '').length) }]
}

/** Null where it is no box. */
function parsed(text: unknown): Box | null {
  const isBox = ({ segments }: Box) => segments.length && segments.every(isSegment)
  const box = attempt((): Box => JSON.parse(text as string))
  return attempt(() => box && isBox(box) && box) || null
}

const isSegment = ({ sequence, changes, state }: Segment) => sequence && (changes?.every(({ path }) => path) ?? state)

const endOf = (box: Box) => box.segments.at(-1)?.at ?? 0

/** What a page shows of a workflow while the server cannot be reached. */
export interface Copy {
  readonly version: number
  readonly document: Document
  readonly name: string | null
  readonly role: Role | null
}

/** Keep a copy of what the server confirmed (null: forget it). Never throws: it is a comfort, not a promise. */
export const keepDocument = (workflowId: string, user: string, copy: Copy | null): Promise<unknown> =>
  transact('documents', (store) => {
    const count = store.count()
    count.onsuccess = () => {
      if (count.result >= MOST_COPIES) store.clear()
      store.put(JSON.stringify(copy && { ...copy, user }), workflowId)
    }
    return count
  })

/** The copy of a workflow, and whose it is; null where there is none, or somebody else's than `user`. */
export async function readDocument(
  workflowId: string,
  user?: string,
): Promise<(Copy & { readonly user: string }) | null> {
  const text = await transact('documents', (store) => store.get(workflowId))
  const copy = JSON.parse(text ?? null)
  return user && copy?.user !== user ? null : copy
}
