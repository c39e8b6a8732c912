/** One workflow that is open: what is shown of it, and one request at a time that brings it and the server together. */

import { backoff } from './backoff.js'
import { createDebounce } from './debounce.js'
import { deliver } from './delivery.js'
import type { Farewell } from './farewell.js'
import { keepDocument, readDocument, type Box, type Outbox } from './outbox.js'
import * as holding from './pending.js'
import type { Answer, Pending } from './pending.js'
import { isPassing, SyncError, type Request } from './request.js'
import { snapshotOf, UNKNOWN, type Known } from './snapshot.js'
import { NO_STEPS, noted, redone, undone, type Steps, type Turn } from './steps.js'
import type { Tabs } from './tabs.js'
import type { Ack, Conflict, Document, Feed, Options, SaveReason, UpdateOptions } from './types.js'
import * as wire from './wire.js'

const GONE = ['ACCESS_REVOKED', 'NOT_FOUND', 'FORBIDDEN']

/** What the workflows share that a page shows, one after the other. */
export interface Page {
  readonly options: Options
  readonly request: Request
  readonly outbox: Outbox
  readonly tabs: Tabs
  readonly farewell: Farewell
  readonly feed: Feed | undefined
  /** Whose work this is; null until that is known. */
  user: string | null
  /** The last sequence of each client and workflow. */
  readonly sequences: Map<string, number>
  /** Send what a tab left that is dead. */
  readonly drain: (box: Box, release: () => void) => void
  /** Resolves when nothing of a workflow is being drained. */
  readonly emptied: (id: string) => Promise<void> | undefined
}

export interface Opening extends Pick<Options, 'initial' | 'name'> {
  /** What to show until it is loaded. */
  readonly shown?: Document
}

export type Session = ReturnType<typeof openSession>

interface Waiter {
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: unknown) => void
}

type Timer = ReturnType<typeof setTimeout> | undefined

export function openSession(page: Page, id: string, opening: Opening, onChange: () => void) {
  const { initial, name, shown = initial ?? {} } = opening
  const { options, request, outbox, tabs, farewell, feed } = page
  const { endpoint, autosave = true, debounceMs, maxWaitMs, merge } = options
  let pending: Pending | null = null
  let steps = NO_STEPS
  let known = UNKNOWN
  let snapshot = snapshotOf(id, shown, pending, steps, known)
  let copied = -1 // the version that is kept for a start without network
  let release = () => {} // of the lock of a dead tab, as which this goes on

  let isRunning = false
  let isPaused = false
  let isClosed = false
  let due: SaveReason | null = null
  let waiters: readonly Waiter[] = []
  let leaving: Promise<void> | null = null
  let failures = 0
  let parted: SyncError | null = null // why a save became no version
  let retry: Timer
  let stopHearing: (() => void) | null = null

  const tell = (news: Partial<Known> = {}) => {
    known = { ...known, ...news }
    const before = snapshot
    snapshot = snapshotOf(id, shown, pending, steps, known, before)
    if (snapshot.hasUnsynced !== before.hasUnsynced) farewell.prompt(snapshot.hasUnsynced)
    if (snapshot !== before) onChange()
  }

  /** Hold something else, and keep what is unsynced of it before anybody hears of it. */
  const put = (next: Pending, news: Partial<Known> = {}) => {
    if (isClosed) return
    const isKept = snapshot.hasUnsynced || holding.isUnsynced(next)
    pending = next
    page.sequences.set(next.clientId + id, next.last)
    tell(isKept ? { ...news, kept: keep(next) } : news)
  }

  const keep = (next: Pending) => {
    const segments = holding.segmentsOf(next)
    const kept = outbox.write({ user: page.user ?? '', endpoint, workflowId: id, clientId: next.clientId, segments })
    farewell.prepare(holding.isUnsent(next) ? wire.letterOf(id, holding.sentOf(departing(next))) : null)
    return kept
  }

  const departing = (from: Pending) => holding.posted(holding.closed(from, 'UNLOAD'), Date.now(), true)

  const get = (): Pending => {
    if (isClosed) throw new SyncError('CLOSED')
    if (!pending || known.isOver) throw new SyncError(known.error?.code ?? 'LOADING')
    return pending
  }

  const editable = (): Pending => {
    if (known.role === 'VIEWER') throw new SyncError('READ_ONLY')
    return get()
  }

  // Doing what is to be done, one thing after the other.

  const next = (): (() => Promise<unknown>) | undefined => {
    if (isPaused || known.isOver) return undefined
    if (!pending) return load
    if (leaving) return async () => leaving
    if (known.obstacle === 'needs-auth') return reread // somebody else may have signed in
    const isAsked = autosave || waiters.length > 0 || holding.sentOf(pending).length > 0
    if (isAsked && holding.isWaiting(pending)) return send
    if (pending.isStale) return reread
    return due ? seal : undefined
  }

  const run = async () => {
    if (isRunning || isPaused) return
    isRunning = true
    clearTimeout(retry)
    retry = undefined
    try {
      for (let work = next(); work; work = next()) await work()
      if (!isPaused) settle()
    } catch (error) {
      fail(error)
    } finally {
      isRunning = false
    }
  }

  const settle = () => {
    const fault = known.error ?? parted ?? snapshot.problems[0]
    const done = waiters
    waiters = []
    parted = null
    for (const { resolve, reject } of done) {
      if (fault) reject(new SyncError(fault.code, fault.message))
      else resolve({ version: snapshot.version, savedAt: snapshot.savedAt })
    }
  }

  const fail = (caught: unknown) => {
    const error = caught instanceof SyncError ? caught : new SyncError('INTERNAL', String(caught))
    const { code, message } = error
    const obstacle = isPassing(error) ? 'offline' : code === 'UNAUTHENTICATED' ? 'needs-auth' : null
    const isOver = !obstacle && error === caught
    tell({ obstacle, isOver, error: { code, message }, ...(!feed && { isConnected: false }) })
    settle()
    if (isOver) stopHearing?.()
    if (!isOver && !isPaused) retry = setTimeout(run, backoff(failures++, error.retryAfterMs))
  }

  /** Try at once, whatever failed before. */
  const wake = () => void run()

  const ask = (why: SaveReason) => {
    debounce.stop()
    due = why
  }

  const save = (why: SaveReason) => {
    ask(why)
    if (!retry) wake()
  }

  const debounce = createDebounce(() => save('DEBOUNCED'), debounceMs, maxWaitMs)

  const seal = async () => {
    put(holding.closed(get(), due ?? 'MANUAL', waiters.length && Date.now()))
    due = null
  }

  const send = async () => {
    tell({ isSending: true })
    try {
      const wasTaken = await deliver(request, id, { get, put: take })
      if (!wasTaken) put(holding.stale(get()), reached()) // perhaps this user may not save any more
    } finally {
      tell({ isSending: false })
    }
  }

  const take = (next: Pending, answer?: Answer) => {
    put(next, answer && { ...reached(), ...newsOf(answer) })
    hear()
  }

  const newsOf = ({ status, savedAt, conflicts }: Answer): Partial<Known> => {
    if (status === 'CONFLICT' || status === 'RESYNC') parted = new SyncError(status)
    if (!holding.isTaken(status)) return {}
    const born = status === 'CREATED' && { role: 'OWNER' as const, name: name ?? null }
    return { hasSaved: true, savedAt, savedBy: page.user, conflicts: together(known.conflicts, conflicts), ...born }
  }

  /** The server answered, whatever it said. */
  const reached = (): Partial<Known> => {
    failures = 0
    return { obstacle: null, error: null, ...(!feed && { isConnected: true }) }
  }

  // Reading what stands.

  const load = async () => {
    await page.emptied(id)
    const { version, document, failure } = await found()
    const box = await adopted()
    void tabs.look()
    if (isClosed) return release()
    if (!version && !initial && !box?.segments[0]?.state) throw new SyncError('NOT_FOUND')
    const clientId = box?.clientId ?? tabs.clientId
    const last = page.sequences.get(clientId + id) ?? 0
    const view = (!version && !box && initial) || document
    const begun = { clientId, last, version, confirmed: document, view, isStale: Boolean(failure), name, merge }
    put(holding.loaded(holding.begin(begun), box?.segments ?? []))
    hear()
    remember()
    if (failure) throw failure
  }

  /** What the server has or, where it cannot be reached, had. */
  const found = async () => {
    try {
      const workflow = await read()
      return { version: workflow?.version ?? 0, document: workflow?.state ?? {}, failure: null }
    } catch (failure) {
      const copy = isPassing(failure) ? await readDocument(id, page.user ?? undefined) : null
      if (!copy) throw failure
      page.user = copy.user
      tell({ name: copy.name, role: copy.role })
      return { ...copy, failure }
    }
  }

  const read = async () => {
    const { viewer, workflow } = await wire.read(request, id)
    if (page.user && page.user !== viewer.id) throw new SyncError('FORBIDDEN', 'Somebody else has signed in.')
    page.user = viewer.id
    const { name: title = null, role = null, savedBy = null, savedAt = null, conflicts = [] } = workflow ?? {}
    tell({ ...reached(), name: title, role, savedBy, savedAt, conflicts })
    return workflow
  }

  /** Go on as the tab, this one or a dead one, that left work for this workflow; what others left is sent beside it. */
  const adopted = async (): Promise<Box | null> => {
    const own = await outbox.read(tabs.clientId, id)
    const orphans = await tabs.orphans(id)
    const first = own ? undefined : orphans[0]
    for (const orphan of orphans) if (orphan !== first) page.drain(orphan.box, orphan.release)
    release = first?.release ?? release
    return own ?? first?.box ?? null
  }

  const reread = async () => {
    const { version } = get()
    const workflow = await read()
    if (workflow && (workflow.version >= get().version || get().version === version)) {
      put(holding.reloaded(get(), workflow.version, workflow.state))
    } else if (!workflow) {
      if (version) throw new SyncError('NOT_FOUND')
      put({ ...get(), isStale: false })
    }
    hear()
  }

  /** Keep a copy for a start without network. */
  const remember = () => {
    if (!pending || pending.isStale || pending.version === copied || !page.user) return
    const { version, confirmed } = pending
    copied = version
    void keepDocument(id, page.user, { version, document: confirmed, name: known.name, role: known.role })
  }

  // Hearing of others.

  const hear = () => {
    if (!feed || stopHearing || isPaused || !pending?.version) return
    const variables = () => ({ id, sinceVersion: get().version, exceptClient: get().clientId })
    stopHearing = feed.subscribe<wire.Saved>({ query: wire.NEWS, variables, next: hearOf, end: hearNoMore })
  }

  const hearOf = ({ workflowSaved }: wire.Saved) => {
    const { version, savedBy, savedAt, reason, changes, conflicts } = workflowSaved
    const before = get()
    const after = holding.heard(before, { version, changes: changes.map(wire.changeOf) })
    put(reason === 'RESOLVE' ? holding.stale(after) : after, {
      conflicts: together(known.conflicts, conflicts),
      ...(version > before.version && { savedBy, savedAt }),
    })
    if (!retry) wake()
  }

  const hearNoMore = (error: { readonly code: string; readonly message: string } | null) => {
    stopHearing = null
    if (error && GONE.includes(error.code)) tell({ isOver: true, error })
    else if (error?.code === 'RESYNC_REQUIRED') look(true)
  }

  // What the page asks for.

  const show = (view: Document, allowEmpty?: boolean) => {
    put(holding.edited(get(), view, Date.now(), allowEmpty))
    if (autosave && get().open.length) debounce.later()
    else debounce.stop()
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

  const asked = () =>
    new Promise<Ack>((resolve, reject) => {
      if (isPaused) reject(new SyncError('CLOSED'))
      waiters = [...waiters, { resolve, reject }]
      wake()
    })

  const flush = (why: SaveReason = 'MANUAL') => {
    ask(why)
    return asked()
  }

  /** Ask the server what stands, where nobody tells or somebody `doubts` what was told. */
  const look = (doubts = false) => {
    if (pending && (doubts || !stopHearing)) put(holding.stale(pending))
    wake()
  }

  const leave = () => {
    remember()
    if (!pending || known.isOver || isPaused) return
    if (leaving && !holding.isUnsent(pending)) return
    const last = departing(pending)
    const segments = holding.sentOf(last)
    if (!segments.length) return
    put(last)
    leaving = farewell
      .sendLast<wire.Batch>(wire.letterOf(id, segments))
      .then((data) => wire.answersOf(data).forEach((answer, place) => {
        take(holding.answered(get(), segments[place]?.sequence ?? 0, answer), answer)
      }))
      .catch(() => {}) // each is sent again, and tells then
      .finally(() => {
        leaving = null
        if (!retry) wake()
      })
  }

  const stop = () => {
    isPaused = true
    debounce.stop()
    clearTimeout(retry)
    retry = undefined
  }

  wake()
  return {
    id,
    clientId: () => pending?.clientId ?? tabs.clientId,
    getSnapshot: () => snapshot,
    update,
    flush,
    wake,
    look,
    leave,
    tell,
    /** Resolves, whatever comes of it, once it was asked for what stands. */
    reload: async () => {
      if (pending) put(holding.stale(pending))
      await asked().catch(() => {})
    },
    retry: () => {
      put(holding.retried(get()))
      wake()
    },
    discard: () => {
      put(holding.discarded(get()))
      wake()
    },
    undo: () => turn(undone),
    redo: () => turn(redone),
    /** Look for what is unsaved, or not heard. */
    tick: () => {
      remember()
      if (autosave && snapshot.hasUnsynced) save('PERIODIC')
      else if (feed && !stopHearing && !retry) look()
    },
    sleep: stop,
    resume: () => {
      isPaused = false
      if (feed) wake()
      else look()
    },
    close: () => {
      stop()
      isClosed = true
      stopHearing?.()
      farewell.prepare(null)
      farewell.prompt(false)
      release()
    },
  }
}

/** Conflicts that are open: new ones first. */
const together = (known: readonly Conflict[], more: readonly Conflict[]): readonly Conflict[] => {
  const added = more.filter(({ id }) => id && !known.some((conflict) => conflict.id === id))
  return added.length ? [...added, ...known] : known
}
