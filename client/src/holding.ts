/** What a page holds of one workflow and knows of it: kept on the device first, and then told as a snapshot. */

import type { Opening, Page } from './page.js'
import { departing, edited, isUnsent, isUnsynced, segmentsOf, sentOf, type Pending } from './pending.js'
import { SyncError } from './request.js'
import { snapshotOf, UNKNOWN, type Known } from './snapshot.js'
import { NO_STEPS, noted, redone, undone, type Steps, type Turn } from './steps.js'
import type { Document, UpdateOptions } from './types.js'
import { letterOf } from './wire.js'

export type Holding = ReturnType<typeof createHolding>

export function createHolding(page: Page, id: string, opening: Opening, onChange: () => void, onEdit: () => void) {
  const { outbox, farewell, feed, options } = page
  const { initial, shown = initial ?? {} } = opening
  let pending: Pending | null = null
  let steps = NO_STEPS
  let known = UNKNOWN
  let snapshot = snapshotOf(id, shown, pending, steps, known)
  let isClosed = false

  const tell = (news: Partial<Known> = {}) => {
    const isConnected = !news.error // where no feed says it: whether the last request was answered
    known = { ...known, ...(!feed && 'error' in news && { isConnected }), ...news }
    const before = snapshot
    snapshot = snapshotOf(id, shown, pending, steps, known, before)
    if (snapshot.hasUnsynced !== before.hasUnsynced) farewell.prompt(snapshot.hasUnsynced)
    if (snapshot !== before) onChange()
  }

  const keep = (next: Pending) => {
    const { clientId } = next
    const segments = segmentsOf(next)
    const kept = outbox.write({ user: page.user ?? '', endpoint: options.endpoint, workflowId: id, clientId, segments })
    farewell.prepare(isUnsent(next) ? letterOf(id, sentOf(departing(next))) : null)
    return kept
  }

  const put = (next: Pending, news: Partial<Known> = {}) => {
    if (isClosed) return
    const isKept = snapshot.hasUnsynced || isUnsynced(next)
    pending = next
    tell(isKept ? { ...news, kept: keep(next) } : news)
  }

  const get = (): Pending => {
    if (isClosed) throw new SyncError('CLOSED')
    if (!pending || known.isOver) throw new SyncError(known.error?.code ?? 'LOADING')
    return pending
  }

  const editable = (): Pending => {
    if (known.role === 'VIEWER') throw new SyncError('READ_ONLY')
    return get()
  }

  const show = (view: Document, allowEmpty?: boolean) => {
    put(edited(get(), view, Date.now(), allowEmpty))
    onEdit()
  }

  const update = (edit: Document | ((document: Document) => Document), { step, allowEmpty }: UpdateOptions = {}) => {
    const before = editable().view
    const view = typeof edit === 'function' ? edit(before) : edit
    if (view === before) return
    steps = noted(steps, before, view, step)
    show(view, allowEmpty)
  }

  const turn = (turned: (from: Steps, view: Document) => Turn) => {
    const { view } = editable()
    const to = turned(steps, view)
    steps = to.steps
    if (to.view === view) tell()
    else show(to.view, true)
  }

  return {
    get pending() {
      return pending
    },
    get known() {
      return known
    },
    get snapshot() {
      return snapshot
    },
    /** Throws SyncError where there is nothing to work on: not yet, or no more. */
    get,
    /** Hold something else, and keep what is unsynced of it before anybody hears of it. Nothing once it is closed. */
    put,
    /** Know something else. */
    tell,
    /** These throw SyncError. */
    update,
    undo: () => turn(undone),
    redo: () => turn(redone),
    get isClosed() {
      return isClosed
    },
    close: () => {
      isClosed = true
    },
  }
}
