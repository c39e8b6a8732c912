/** A client without a server: what it is given is what it shows. */

import { snapshotOf, UNKNOWN } from '../src/snapshot.js'
import { NO_STEPS } from '../src/steps.js'
import type { Document, Snapshot, UpdateOptions, WorkflowSync } from '../src/types.js'

const unused = (): never => {
  throw new Error('Nobody was to ask for this.')
}

export interface MemorySync extends WorkflowSync {
  /** Every edit that was taken, with how it was made. */
  readonly edits: { readonly document: Document; readonly options: UpdateOptions }[]
  readonly flushes: string[]
  /** What comes from elsewhere. */
  readonly become: (news: Partial<Snapshot>) => void
  readonly listeners: number
}

export function createMemorySync(document: Document, news: Partial<Snapshot> = {}): MemorySync {
  const listeners = new Set<() => void>()
  const edits: MemorySync['edits'] = []
  const flushes: string[] = []
  let snapshot: Snapshot = {
    ...snapshotOf('w', document, null, NO_STEPS, UNKNOWN),
    status: 'idle',
    version: 1,
    role: 'OWNER',
    ...news,
  }
  const become = (news: Partial<Snapshot>) => {
    snapshot = { ...snapshot, ...news }
    listeners.forEach((listener) => listener())
  }
  return {
    clientId: 'me',
    edits,
    flushes,
    become,
    get listeners() {
      return listeners.size
    },
    get status() {
      return snapshot.status
    },
    get hasUnsynced() {
      return snapshot.hasUnsynced
    },
    get conflicts() {
      return snapshot.conflicts
    },
    getSnapshot: () => snapshot,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    update: (edit, options = {}) => {
      if (snapshot.role === 'VIEWER' || snapshot.status === 'loading') throw new Error('It is not taken.')
      const document = typeof edit === 'function' ? edit(snapshot.document) : edit
      if (document === snapshot.document) return
      edits.push({ document, options })
      become({ document, status: 'dirty', hasUnsynced: true })
    },
    flush: async (reason = 'MANUAL') => {
      flushes.push(reason)
      become({ status: 'saved', hasUnsynced: false })
      return { version: 2, savedAt: null }
    },
    resolve: unused,
    retry: unused,
    discard: unused,
    undo: unused,
    redo: unused,
    close: unused,
    switchTo: unused,
    get history() {
      return unused()
    },
  }
}
