/** The client: a workflow document that is edited here and kept the same as on the server. */

import { PERIODIC_MS } from './debounce.js'
import { deliver } from './delivery.js'
import { createFarewell } from './farewell.js'
import { createHistory, resolveConflict } from './history.js'
import { newId } from './ids.js'
import { createOutbox, type Box } from './outbox.js'
import type { Opening, Page } from './page.js'
import { begin, inherited, isWaiting, loaded, segmentsOf } from './pending.js'
import { createRequest } from './request.js'
import { openSession, type Session } from './session.js'
import { createTabs, type Orphan } from './tabs.js'
import type { Document, Options, Snapshot, WorkflowSync } from './types.js'

const NOWHERE = -1 // a version that no workflow has

/** Open a workflow. It is loaded at once; `getSnapshot` tells of it. */
export function createWorkflowSync<D extends Document = Document>(options: Options<D>): WorkflowSync<D> {
  const { endpoint, periodicMs = PERIODIC_MS } = options
  const request = createRequest(options)
  const feed = options.feed?.(options)
  const listeners = new Set<() => void>()
  let draining = Promise.resolve()
  let emptying = '' // the workflow of the box that is being drained
  let isConnected = false
  let opened: Opening
  let session: Session

  /** Send what is in a box, in order and in the name of the tab that made it; what is refused stays in it. */
  const empty = async (box: Box) => {
    const { clientId, workflowId, segments } = box
    emptying = workflowId
    const last = page.sequences.get(clientId + workflowId) ?? 0
    let pending = loaded(begin({ clientId, last, version: NOWHERE, confirmed: {} }), segments)
    const holder = {
      get: () => pending,
      put: (next: typeof pending) => {
        pending = next
        page.sequences.set(next.clientId + workflowId, next.last)
        outbox.write({ ...box, clientId: next.clientId, segments: segmentsOf(next) })
      },
      inherit: () => {
        if (pending.clientId !== clientId) return false
        holder.put(inherited(pending, newId(), 0))
        outbox.remove(clientId, workflowId)
        return true
      },
    }
    while (isWaiting(pending)) await deliver(request, workflowId, holder)
    if (workflowId === session.id) session.look(true)
  }

  const inTurn = (work: () => Promise<void>) => {
    draining = draining.then(work).catch(() => {}) // looked for again by and by
    return draining.finally(() => (emptying = ''))
  }

  const drain = ({ box, release }: Orphan) => void inTurn(() => empty(box)).then(release)

  /** What this tab could not save of the workflows that it showed before. */
  const drainOwn = async () => {
    for (const { clientId, workflowId } of await outbox.list()) {
      const isLeft = clientId === tabs.clientId && workflowId !== session.id
      const box = isLeft ? await outbox.read(clientId, workflowId) : null
      if (box) await empty(box)
    }
  }

  const outbox = createOutbox(options.storage, (kept, box) => {
    if (box.workflowId === session.id && box.clientId === session.clientId()) session.tell({ kept })
  })
  const isOurs = (box: Box) => box.user === page.user && box.endpoint === endpoint
  const tabs = createTabs({ outbox, isOurs, onOrphan: drain })

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
    if ((await tabs.resume()) || kept === 'nowhere') session.resume()
    else {
      session.close()
      show(session.id, { ...opened, shown: session.getSnapshot().document })
    }
  }
  const farewell = createFarewell(endpoint, request, { leave: () => session.leave(), pause, resume, look })

  const page: Page = {
    options,
    request,
    outbox,
    tabs,
    farewell,
    feed,
    drain,
    user: null,
    sequences: new Map(),
    emptied: (id) => (id === emptying ? draining : undefined),
  }

  const tell = () => listeners.forEach((listener) => listener())

  const show = (id: string, opening: Opening) => {
    opened = opening
    const next = openSession(page, id, opening, () => session === next && tell())
    session = next
    session.tell({ isConnected })
    tell()
  }

  show(options.workflowId, options)

  const tick = () => {
    session.tick()
    void tabs.look()
    void inTurn(drainOwn)
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
      session.close()
      show(id, opening)
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
