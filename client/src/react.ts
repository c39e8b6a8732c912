/** A workflow in React 18 and 19. */

import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import { attempt } from './attempt.js'
import { createDebounce, PERIODIC_MS } from './debounce.js'
import { diff, fitting } from './document.js'
import { createLazySync } from './lazy.js'
import type { Change, Document, Options, SaveReason, Snapshot, WorkflowSync } from './types.js'

type Commands = 'update' | 'flush' | 'resolve' | 'retry' | 'discard' | 'undo' | 'redo'
type Source<D extends Document> = Options<D> | WorkflowSync<D>

/** What is shown, what can be done, and `sync` itself for other hooks and components. */
export type WorkflowView<D extends Document = Document> = Snapshot<D> &
  Pick<WorkflowSync<D>, Commands> & {
    readonly sync: WorkflowSync<D>
  }

/**
 * A workflow: opened by options for as long as the component is there, or one that is open already. Options may be new
 * objects at each render. Another `workflowId` is switched to, once what is unsaved was saved; another `endpoint`
 * starts anew. Rendered on a server it is `loading`. With a selector, only what it gives makes the component render.
 */
export function useWorkflowSync<D extends Document = Document>(source: Source<D>): WorkflowView<D>
export function useWorkflowSync<T, D extends Document = Document>(
  source: Source<D>,
  select: (snapshot: Snapshot<D>) => T,
): T
export function useWorkflowSync<T, D extends Document>(source: Source<D>, select?: (snapshot: Snapshot<D>) => T) {
  const sync = useSource(source)
  return useSelected<T | WorkflowView<D>, D>(sync, select ?? ((snapshot) => viewOf(sync, snapshot)))
}

export interface DebounceOptions {
  /** Which workflow the state is of, where `sync` switches between several. */
  readonly workflowId?: string
  readonly debounceMs?: number
  /** That a state without any block is meant to be, and no accident: otherwise the server refuses to save that. */
  readonly allowEmpty?: boolean
}

/**
 * Hands on what changes in `state`, which an application keeps in a store of its own, and saves it after a pause, or at
 * once when the component goes. The first state, and any before the workflow is loaded, is no edit.
 */
export function useDebouncedWorkflowSync<D extends Document>(
  sync: WorkflowSync<D>,
  state: D,
  options: DebounceOptions = {},
): void {
  const { workflowId, debounceMs, allowEmpty = false } = options
  const saver = useMemo(() => createDebounce(() => save(sync, 'DEBOUNCED'), debounceMs), [sync, debounceMs])
  const { shown, status } = useWorkflowSync(sync, ({ workflowId: shown, status }) => ({ shown, status }))
  const known = useRef({ sync, shown, state })
  useEffect(() => {
    const before = known.current
    const isOther = before.sync !== sync || before.shown !== shown || (workflowId ?? shown) !== shown
    const changes = isOther || status === 'loading' ? [] : diff(before.state, state)
    if (changes.length && !handOn(sync, changes, allowEmpty)) return
    known.current = { sync, shown, state }
    if (changes.length) saver.later()
  }, [sync, shown, status, state, workflowId, allowEmpty, saver])
  useEffect(() => saver.now, [saver])
}

/** Saves what is unsaved every 30 s, or `periodicMs`; nothing where there is nothing. */
export function usePeriodicWorkflowSync<D extends Document>(
  sync: WorkflowSync<D>,
  { periodicMs = PERIODIC_MS }: { readonly periodicMs?: number } = {},
): void {
  useEffect(() => {
    const timer = setInterval(() => save(sync, 'PERIODIC'), periodicMs)
    return () => clearInterval(timer)
  }, [sync, periodicMs])
}

/** Saves when the component goes, such as at a change of route. When the page itself is left, `sync` always saves. */
export function useSyncOnUnload<D extends Document>(sync: WorkflowSync<D>): void {
  useEffect(() => () => save(sync, 'UNLOAD'), [sync])
}

/** What comes of it is in the snapshot. */
const save = <D extends Document>(sync: WorkflowSync<D>, reason: SaveReason) => {
  if (sync.hasUnsynced) sync.flush(reason).catch(() => {})
}

/** Says whether they were taken. They are all that is handed on: others may have changed the rest meanwhile. */
const handOn = <D extends Document>(sync: WorkflowSync<D>, changes: readonly Change[], allowEmpty: boolean): boolean =>
  attempt(() => (sync.update((document) => fitting(document, changes) as D, { allowEmpty }), true)) ?? false

const isSync = <D extends Document>(source: Source<D>): source is WorkflowSync<D> => 'getSnapshot' in source

const useSource = <D extends Document>(source: Source<D>): WorkflowSync<D> => {
  const lazy = useMemo(
    () => (isSync(source) ? { sync: source, follow: () => {} } : createLazySync(source)),
    [isSync(source) ? source : source.endpoint],
  )
  useEffect(() => {
    if (!isSync(source)) lazy.follow(source)
  })
  return lazy.sync
}

const viewOf = <D extends Document>(sync: WorkflowSync<D>, snapshot: Snapshot<D>): WorkflowView<D> => {
  const { update, flush, resolve, retry, discard, undo, redo } = sync
  return { ...snapshot, update, flush, resolve, retry, discard, undo, redo, sync }
}

/** What is selected stays the same object while its members do. */
const useSelected = <T, D extends Document>(sync: WorkflowSync<D>, select: (snapshot: Snapshot<D>) => T): T => {
  const shown = useRef<{ readonly value: T } | null>(null)
  const getSelected = useMemo(() => {
    let last: { readonly snapshot: Snapshot<D>; readonly value: T } | undefined
    return () => {
      const snapshot = sync.getSnapshot()
      if (last?.snapshot !== snapshot) {
        const value = select(snapshot)
        const known = last ?? shown.current
        last = { snapshot, value: known && isAlike(known.value, value) ? known.value : value }
      }
      return last.value
    }
  }, [sync, select])
  const value = useSyncExternalStore(sync.subscribe, getSelected, getSelected)
  useEffect(() => {
    shown.current = { value }
  })
  return value
}

const isAlike = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  const isIn = (key: string) => Object.hasOwn(b, key) && Object.is(a[key], b[key])
  return keys.length === Object.keys(b).length && keys.every(isIn)
}

const isPlain = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value))
