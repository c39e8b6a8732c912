/** One workflow that is open: one thing after the other that brings what is held of it and the server together. */

import { backoff } from './backoff.js'
import { createDebounce } from './debounce.js'
import { deliver } from './delivery.js'
import { hear } from './hearing.js'
import { createHolding } from './holding.js'
import type { Opening, Page } from './page.js'
import * as held from './pending.js'
import type { Answer, Pending } from './pending.js'
import { createReading } from './reading.js'
import { isPassing, SyncError } from './request.js'
import { REACHED, together, type Known } from './snapshot.js'
import type { Ack, SaveReason, Subscription } from './types.js'
import * as wire from './wire.js'

const GONE = ['ACCESS_REVOKED', 'NOT_FOUND', 'FORBIDDEN']

export type Session = ReturnType<typeof openSession>

export function openSession(page: Page, id: string, opening: Opening, onChange: () => void) {
  const { options, request, tabs, farewell, feed } = page
  const { autosave = true, debounceMs, maxWaitMs } = options
  const holding = createHolding(page, id, opening, onChange, () => saveSoon())
  const { get, put, tell, update, undo, redo } = holding
  const reading = createReading(page, id, opening, holding, () => listen())

  let stopHearing: (() => void) | undefined
  let isRunning = false
  let isPaused = false
  let due: SaveReason | null = null
  let waiters: readonly ((outcome: Ack | Promise<Ack>) => void)[] = []
  let leaving: Promise<void> | null = null
  let failures = 0 // in a row
  let parted: SyncError | null = null // why a save became no version
  let retry: ReturnType<typeof setTimeout> | undefined

  // Doing what is to be done, one thing after the other.

  const next = (): (() => Promise<unknown>) | undefined => {
    const { pending, known } = holding
    if (isPaused || known.isOver) return undefined
    if (!pending) return reading.load
    if (leaving) return async () => leaving
    if (known.obstacle === 'needs-auth') return reading.reload // somebody else may have signed in
    const isAsked = autosave || waiters.length > 0 || held.sentOf(pending).length > 0
    if (isAsked && held.isWaiting(pending)) return send
    if (pending.isStale) return reading.reload
    return due ? seal : undefined
  }

  const run = async () => {
    if (isRunning || isPaused) return
    isRunning = true
    stopRetrying()
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
    const { snapshot } = holding
    const fault = snapshot.error ?? parted ?? snapshot.problems[0]
    const done = waiters
    waiters = []
    parted = null
    const { version, savedAt } = snapshot
    const outcome = () => (fault ? Promise.reject(new SyncError(fault.code, fault.message)) : { version, savedAt })
    for (const resolve of done) resolve(outcome())
  }

  const fail = (caught: unknown) => {
    const error = caught instanceof SyncError ? caught : new SyncError('INTERNAL', String(caught))
    const { code, message } = error
    const obstacle = isPassing(error) ? 'offline' : code === 'UNAUTHENTICATED' ? 'needs-auth' : null
    const isOver = !obstacle && error === caught
    failures = holding.known.error ? failures + 1 : 0
    tell({ obstacle, isOver, error: { code, message } })
    settle()
    if (isOver) end(code)
    else if (!isPaused) retry = setTimeout(run, backoff(failures, error.retryAfterMs))
  }

  /** What this user may not see any more is not kept here either. */
  const end = (code: string) => {
    stopHearing?.()
    if (code === 'ACCESS_REVOKED' || code === 'NOT_FOUND') reading.forget()
  }

  const stopRetrying = () => {
    clearTimeout(retry)
    retry = undefined
  }

  /** Try at once, whatever failed before. */
  const wake = () => void run()

  const wakeUnlessRetrying = () => {
    if (!retry) wake()
  }

  // Reading, hearing, sending.

  /** Ask the server what stands, where nobody tells or somebody `doubts` what was told. */
  const look = (doubts = false) => {
    if (doubts || !stopHearing) doubt()
    wake()
  }

  const doubt = () => {
    if (holding.pending) put(held.stale(holding.pending))
  }

  const listen = () => {
    if (isPaused || !holding.pending?.version) return
    stopHearing ??= feed && hear(feed, id, holding, wakeUnlessRetrying, hearNoMore)
  }

  const hearNoMore: Subscription<unknown>['end'] = (error) => {
    stopHearing = undefined
    if (error && GONE.includes(error.code)) {
      tell({ isOver: true, error })
      settle()
      end(error.code)
    } else if (error?.code === 'RESYNC_REQUIRED') look(true)
  }

  const ask = (why: SaveReason) => {
    debounce.stop()
    due = why
  }

  const save = (why: SaveReason) => {
    ask(why)
    wakeUnlessRetrying()
  }

  const debounce = createDebounce(() => save('DEBOUNCED'), debounceMs, maxWaitMs)

  const seal = async () => {
    put(held.closed(get(), due ?? 'MANUAL', waiters.length && Date.now()))
    due = null
  }

  const send = async () => {
    tell({ isSending: true })
    try {
      const wasTaken = await deliver(request, page.outbox, id, { heir: tabs.clientId, get, put: take })
      if (!wasTaken) put(held.stale(get()), REACHED) // perhaps this user may not save any more
    } finally {
      tell({ isSending: false })
    }
  }

  const take = (next: Pending, answer?: Answer) => {
    put(next, answer && { ...REACHED, ...newsOf(answer) })
    listen()
  }

  const newsOf = ({ status, savedAt, conflicts }: Answer): Partial<Known> => {
    if (status === 'CONFLICT' || status === 'RESYNC') parted = new SyncError(status)
    if (!held.isTaken(status)) return {}
    const born = status === 'CREATED' && { role: 'OWNER' as const, name: opening.name ?? null }
    const all = together(holding.known.conflicts, conflicts)
    return { hasSaved: true, savedAt, savedBy: page.user, conflicts: all, ...born }
  }

  // What the page asks for.

  const saveSoon = () => {
    if (autosave && get().open.length) debounce.later()
    else debounce.stop()
  }

  const decide = (decided: (from: Pending) => Pending) => {
    put(decided(get()))
    wake()
  }

  const asked = (): Promise<Ack> => {
    if (isPaused) return Promise.reject(new SyncError('CLOSED'))
    return new Promise((resolve) => {
      waiters = [...waiters, resolve]
      wake()
    })
  }

  const leave = () => {
    const { pending, known } = holding
    reading.remember()
    if (!pending || known.isOver || isPaused) return
    if (leaving && !held.isUnsent(pending)) return
    const last = held.departing(pending)
    const segments = held.sentOf(last)
    if (!segments.length) return
    put(last)
    leaving = farewell
      .sendLast<wire.Batch>(wire.letterOf(id, segments))
      .then((data) =>
        wire.answersOf(data).forEach((answer, place) => {
          take(held.answered(get(), segments[place]?.sequence ?? 0, answer), answer)
        }),
      )
      .catch(() => {}) // each is sent again, and tells then
      .finally(() => {
        leaving = null
        wakeUnlessRetrying()
      })
  }

  const stop = () => {
    isPaused = true
    debounce.stop()
    stopRetrying()
  }

  wake()
  return {
    id,
    clientId: () => holding.pending?.clientId ?? tabs.clientId,
    getSnapshot: () => holding.snapshot,
    update,
    undo,
    redo,
    flush: (why: SaveReason = 'MANUAL') => {
      ask(why)
      return asked()
    },
    wake,
    look,
    leave,
    tell,
    /** Resolves, whatever comes of it, once it was asked for what stands. */
    reload: async () => {
      doubt()
      await asked().catch(() => {})
    },
    retry: () => decide(held.retried),
    discard: () => decide(held.discarded),
    /** Look for what is unsaved, or not heard. */
    tick: () => {
      reading.remember()
      if (autosave && holding.snapshot.hasUnsynced) save('PERIODIC')
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
      holding.close()
      stopHearing?.()
      farewell.prepare(null)
      farewell.prompt(false)
      reading.close()
    },
  }
}
