/** Who else is looking at a workflow, and what they point at: heard and told over the feed, never stored. */

import type { Presence } from './contract.js'
import type { Feed, Json } from './types.js'

const GATHER_MS = 50 // of moving a pointer make one message; more than twenty a second nobody sees
const PRESENCE =
  'subscription($id:ID!,$clientId:ID){presence(id:$id,clientId:$clientId){clientId userId name state at}}'
const SET = 'mutation($id:ID!,$clientId:ID!,$state:JSON){setPresence(id:$id,clientId:$clientId,state:$state)}'

export interface PresenceOptions {
  readonly workflowId: string
  /** Of this tab: `clientId` of its WorkflowSync. */
  readonly clientId: string
  /** The one that the WorkflowSync has too: `const feed = webSocketFeed(connection)`, and there `feed: () => feed`. */
  readonly feed: Feed
}

export interface Room {
  /** The others; nobody while the feed is not connected. */
  readonly getSnapshot: () => readonly Presence[]
  readonly subscribe: (listener: () => void) => () => void
  /** What the others see of this tab, at most 4 KiB of JSON. Told at most twenty times a second. */
  readonly set: (state: Json) => void
  readonly close: () => void
}

/** Be there, until `close`. */
export function createPresence({ workflowId: id, clientId, feed }: PresenceOptions): Room {
  const listeners = new Set<() => void>()
  let others: readonly Presence[] = []
  let state: Json = null
  let isDue = false
  let telling: ReturnType<typeof setTimeout> | undefined // also while that is under way
  let stopTelling = () => {}

  const show = (present: readonly Presence[]) => {
    if (!present.length && !others.length) return
    others = present
    listeners.forEach((listener) => listener())
  }

  const tellSoon = () => {
    telling ??= setTimeout(tell, GATHER_MS)
  }

  const tell = () => {
    isDue = false
    stopTelling = feed.subscribe({
      query: SET,
      variables: () => ({ id, clientId, state }),
      next: () => {},
      end: () => {
        telling = undefined
        if (isDue) tellSoon()
      },
    })
  }

  const set = (next: Json) => {
    state = next
    isDue = true
    tellSoon()
  }

  const stopHearing = feed.subscribe<{ readonly presence: readonly Presence[] }>({
    query: PRESENCE,
    variables: () => ({ id, clientId }),
    next: ({ presence }) => {
      const isForgotten = presence.some((each) => each.clientId === clientId && each.state === null)
      if (isForgotten && state !== null) set(state) // the connection is a new one
      show(presence.filter((each) => each.clientId !== clientId))
    },
    end: () => show([]),
  })
  const stopWatching = feed.watch((isConnected) => isConnected || show([]))

  return {
    getSnapshot: () => others,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    set,
    close: () => {
      clearTimeout(telling)
      stopTelling()
      stopHearing()
      stopWatching()
      listeners.clear()
    },
  }
}
