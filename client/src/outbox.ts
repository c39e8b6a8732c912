/** The outbox: what is not on the server yet, kept in this browser until it is. */

import type { Change, Document, Kept, Problem, Role, SaveReason, SyncStorage } from './types.ts'

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

export declare function createOutbox(storage: SyncStorage | undefined, onKept: (kept: Kept, box: Box) => void): Outbox

/** What a page shows of a workflow while the server cannot be reached. */
export interface Copy {
  readonly version: number
  readonly document: Document
  readonly name: string | null
  readonly role: Role | null
}

/** Keep a copy of what the server confirmed (null: forget it). Never throws: it is a comfort, not a promise. */
export declare function keepDocument(workflowId: string, user: string, copy: Copy | null): Promise<void>

/** The copy of a workflow, and whose it is; null where there is none, or somebody else's than `user`. */
export declare function readDocument(workflowId: string, user?: string): Promise<(Copy & { readonly user: string }) | null>
