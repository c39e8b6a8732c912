/** The tabs of one browser: each holds a lock while it lives, so that its outbox is adopted once it is gone. */

import type { Box, Outbox } from './outbox.ts'

/** The box of a dead tab; nobody else touches it until `release` is called, which is once everything of it was sent. */
export interface Orphan {
  readonly box: Box
  readonly release: () => void
}

export interface TabsOptions {
  readonly outbox: Outbox
  /** Whether it is of this user and endpoint; others are left alone. Until the user is known: false. */
  readonly isOurs: (box: Box) => boolean
  /** A box that was found by `look`, or (of another workflow) by `orphans`. */
  readonly onOrphan: (box: Box, release: () => void) => void
}

export interface Tabs {
  /** New for each page load, and after a `resume` that told false. */
  readonly clientId: string
  /** The work that dead tabs left for a workflow, without waiting for any that still lives. For the first view. */
  readonly orphans: (workflowId: string) => Promise<readonly Orphan[]>
  /** Wait for the end of every tab whose outbox is seen. At start, when the page is visible again, and now and then. */
  readonly look: () => void
  /** The page may sleep (`pagehide`): every lock is let go, adopted boxes too. */
  readonly pause: () => void
  /**
   * The page is back. False: others may have sent what was unsent here, so take the new `clientId`, drop every segment
   * that is kept on the device, load again, and take what is left of them back by `orphans`.
   */
  readonly resume: () => Promise<boolean>
  readonly close: () => void
}

export declare function createTabs(options: TabsOptions): Tabs
