/** The client: a workflow document that is edited here and kept the same as on the server. */

import { PERIODIC_MS } from './debounce.js'
import { createFarewell } from './farewell.js'
import { createHistory, resolveConflict } from './history.js'
import { createLeftovers } from './leftovers.js'
import { createOutbox, type Box } from './outbox.js'
import type { Opening, Page } from './page.js'
import { createRequest } from './request.js'
import { openSession, type Session } from './session.js'
import { createTabs } from './tabs.js'
import type { Document, Options, Snapshot, WorkflowSync } from './types.js'

/** Open a workflow. It is loaded at once; `getSnapshot` tells of it. */
export function createWorkflowSync<D extends Document = Document>(options: Options<D>): WorkflowSync<D> {
  const { endpoint, periodicMs = PERIODIC_MS } = options
  const request = createRequest(options)
  const feed = options.feed?.(options)
  const listeners = new Set<() => void>()
  let isConnected = false
  let opened: Opening
  let session: Session

  const outbox = createOutbox(options.storage, (kept, { clientId }) => {
    if (clientId === session.clientId()) session.tell({ kept })
  })
  const leftovers = createLeftovers(request, outbox, (id) => {
    if (id === session.id) session.look(true)
  })
  const isOurs = (box: Box) => box.user === page.user && box.endpoint === endpoint
  const tabs = createTabs({ outbox, isOurs, onOrphan: leftovers.send })

  const look = () => {
    void tabs.look()
    session.look()
  }
  const pause = () => {
    session.sleep()
    feed?.pause()
    tabs.pause()
  }
  const resume = async () => {
    feed?.resume()
    const { kept } = session.getSnapshot()
    const isAlone = await tabs.resume()
    if (isAlone || kept === 'nowhere') {
      if (!isAlone) tabs.renew()
      session.resume()
    } else showAnew(session.id, { ...opened, shown: session.getSnapshot().document })
  }
  const farewell = createFarewell(endpoint, request, { leave: () => session.leave(), pause, resume, look })

  const page: Page = {
    options,
    request,
    outbox,
    tabs,
    farewell,
    leftovers,
    feed,
    user: null,
  }

  const tell = () => listeners.forEach((listener) => listener())

  const show = (id: string, opening: Opening) => {
    opened = opening
    const next = openSession(page, id, opening, () => session === next && tell())
    session = next
    session.tell({ isConnected })
    tell()
  }

  const showAnew = (id: string, opening: Opening) => {
    session.close()
    tabs.renew()
    show(id, opening)
  }

  show(options.workflowId, options)

  const tick = () => {
    session.tick()
    void tabs.look()
  }
  const ticking = setInterval(tick, periodicMs)
  const onOnline = () => session.wake()
  globalThis.addEventListener?.('online', onOnline)
  const stopWatching = feed?.watch((isUp) => session.tell({ isConnected: (isConnected = isUp) }))

  const reload = () => session.reload()
  /** Whatever can be saved is; what cannot goes out later. */
  const saved = async () => {
    if (session.getSnapshot().hasUnsynced) await session.flush().catch(() => {})
  }

  return {
    get clientId() {
      return session.clientId()
    },
    get status() {
      return session.getSnapshot().status
    },
    get hasUnsynced() {
      return session.getSnapshot().hasUnsynced
    },
    get conflicts() {
      return session.getSnapshot().conflicts
    },
    getSnapshot: () => session.getSnapshot() as Snapshot<D>,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    update: (edit, how) => session.update(edit as Document | ((document: Document) => Document), how),
    flush: (reason) => session.flush(reason),
    resolve: (conflictId, take) => resolveConflict(request, conflictId, take, reload),
    retry: () => session.retry(),
    discard: () => session.discard(),
    undo: () => session.undo(),
    redo: () => session.redo(),
    history: createHistory(request, () => session.id, reload),
    switchTo: async (id, opening = {}) => {
      await saved()
      showAnew(id, opening)
    },
    close: async () => {
      await saved()
      session.close()
      globalThis.removeEventListener?.('online', onOnline)
      clearInterval(ticking)
      stopWatching?.()
      feed?.close()
      farewell.close()
      tabs.close()
    },
  }
}
