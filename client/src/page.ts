/** What the workflows share that a page shows, one after the other. Types only. */

import type { Farewell } from './farewell.js'
import type { Leftovers } from './leftovers.js'
import type { Outbox } from './outbox.js'
import type { Request } from './request.js'
import type { Tabs } from './tabs.js'
import type { Document, Feed, Options } from './types.js'

export interface Page {
  readonly options: Options
  readonly request: Request
  readonly outbox: Outbox
  readonly tabs: Tabs
  readonly farewell: Farewell
  readonly leftovers: Leftovers
  readonly feed: Feed | undefined
  /** Whose work this is; null until that is known. */
  user: string | null
}

/** What one workflow is opened with. */
export interface Opening extends Pick<Options, 'initial' | 'name'> {
  /** What to show until it is loaded. */
  readonly shown?: Document
}
