/** Documents compared, changed and held against one another. They are immutable: results share what stays the same. */

import type { Change, Document, Json, Path } from './types.js'

/** A value, or undefined for none at all, which is not null. */
export type Maybe = Json | undefined

/** A path leads nowhere in the document, or to a place that cannot take what the change brings. */
export class PathError extends Error {
  constructor(readonly path: Path) {
    super(`Nothing fits at ${JSON.stringify(path)}.`)
  }
}

export const isList = (value: Maybe): value is readonly Json[] => Array.isArray(value)

export const isObject = (value: Maybe): value is Document =>
  typeof value === 'object' && value !== null && !isList(value)

/** The member itself, nothing that objects inherit. */
export const own = (object: Document, key: string): Maybe => (Object.hasOwn(object, key) ? object[key] : undefined)

/** The non-empty id of an item. */
const idOf = (item: Maybe): string | undefined => {
  const id = isObject(item) && own(item, 'id')
  return typeof id === 'string' && id ? id : undefined
}

/** The items of a keyed list, each an object with an id of its own; undefined where the list is not keyed. */
export const byId = (items: readonly Json[]): Map<string, Json> | undefined => {
  const found = new Map<string, Json>()
  for (const item of items) {
    const id = idOf(item)
    if (id === undefined || found.has(id)) return undefined
    found.set(id, item)
  }
  return found
}

/** What is in an object by key, or in a keyed list by id, in order. */
export type Members = ReadonlyMap<string, Json>

/** Undefined for a single value. */
export const membersOf = (value: Maybe): Members | undefined => {
  if (isList(value)) return byId(value)
  return isObject(value) ? new Map(Object.entries(value)) : undefined
}

/** Says whether two values are one in JSON, where the order of keys is no content and NaN is null. */
export const same = (a: Maybe, b: Maybe): boolean => {
  if (a === b) return true
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, place) => same(item, b[place]))
  if (isObject(a) && isObject(b)) return Object.keys({ ...a, ...b }).every((key) => same(own(a, key), own(b, key)))
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Keys in order: a map, or a set. */
export interface Keys {
  readonly has: (key: string) => boolean
  readonly keys: () => Iterable<string>
}

/** The order that comes of itself: what stayed, and then what is new. */
export const naturalOrder = (before: Keys, after: Keys): string[] => [
  ...[...before.keys()].filter((key) => after.has(key)),
  ...[...after.keys()].filter((key) => !before.has(key)),
]

/**
 * The changes, to the leaf, that lead from one document to the other: objects by key, keyed lists by id, anything else
 * as one value. What is the very same object in both is not looked at.
 */
export const diff = (before: Document, after: Document): Change[] => {
  const changes: Change[] = []
  compare(changes, [], before, after)
  return changes
}

const compare = (changes: Change[], path: Path, before: Json, after: Json): void => {
  if (before === after) return
  const old = membersOf(before)
  const now = membersOf(after)
  if (old && now && isList(before) === isList(after)) compareMembers(changes, path, old, now, isList(after))
  else if (!same(before, after)) changes.push({ path, value: after })
}

const compareMembers = (changes: Change[], path: Path, before: Members, after: Members, isKeyed: boolean): void => {
  for (const [key, old] of before) {
    const now = after.get(key)
    if (old === now || old === undefined) continue
    if (now === undefined) changes.push({ path: [...path, key], remove: true })
    else compare(changes, [...path, key], old, now)
  }
  for (const [key, value] of after) {
    if (value !== undefined && before.get(key) === undefined) changes.push({ path: [...path, key], value })
  }
  const order = [...after.keys()]
  if (isKeyed && !same(order, naturalOrder(before, after))) changes.push({ path, order })
}

/** Applies changes one after the other. A new item of a keyed list goes last. Throws PathError. */
export const apply = (document: Document, changes: readonly Change[]): Document => write(document, changes, true)

/** Applies those changes that fit, one after the other, and leaves the others out. */
export const fitting = (document: Document, changes: readonly Change[]): Document => write(document, changes, false)

/** A container under change, and drafts of those with changes inside them. An item keeps its `id`. */
interface Draft {
  readonly source: Json
  readonly isItem: boolean
  readonly inner: Map<string, Draft>
  /** Of a list all its items, by id; of an object what is written over it, undefined for what is removed. */
  members: Map<string, Maybe>
  isWritten: boolean
}

const write = (document: Document, changes: readonly Change[], isStrict: boolean): Document => {
  const draft = begin(document, false)
  for (const change of changes) {
    if (!(draft && take(draft, change)) && isStrict) throw new PathError(change.path)
  }
  return draft ? (finish(draft) as Document) : document
}

const begin = (source: Maybe, isItem: boolean): Draft | undefined => {
  const members = isList(source) ? byId(source) : isObject(source) && new Map<string, Maybe>()
  return source !== undefined && members ? { source, isItem, inner: new Map(), members, isWritten: false } : undefined
}

const memberOf = ({ source, members }: Draft, key: string): Maybe =>
  isObject(source) && !members.has(key) ? own(source, key) : members.get(key)

const open = (draft: Draft, key: string): Draft | undefined => {
  const opened = draft.inner.get(key) ?? begin(memberOf(draft, key), isList(draft.source))
  if (opened) draft.inner.set(key, opened)
  return opened
}

/** Says whether the change fits. */
const take = (root: Draft, change: Change): boolean => {
  let draft: Draft | undefined = root
  for (const key of change.path.slice(0, -1)) draft = draft && open(draft, key)
  const key = change.path.at(-1)
  if (!draft || key === undefined) return false
  if ('order' in change) return reorder(open(draft, key), change.order)
  return put(draft, key, 'remove' in change ? undefined : change.value)
}

/** Undefined removes. */
const put = (draft: Draft, key: string, value: Maybe): boolean => {
  const { source, isItem, inner, members } = draft
  const old = memberOf(draft, key)
  const fits = value === undefined ? old !== undefined : !isList(source) || idOf(value) === key
  if (!fits || (isItem && key === 'id' && value !== old)) return false
  inner.delete(key)
  if (value === undefined && isList(source)) members.delete(key)
  else members.set(key, value)
  return (draft.isWritten = true)
}

const reorder = (draft: Draft | undefined, order: readonly string[]): boolean => {
  if (!draft || !isList(draft.source)) return false
  const ordered = new Map(order.map((id) => [id, draft.members.get(id)]))
  const { size } = draft.members
  if (order.length !== size || ordered.size !== size || [...ordered.values()].includes(undefined)) return false
  draft.members = ordered
  return (draft.isWritten = true)
}

const finish = (draft: Draft): Json => {
  const { source, inner, members } = draft
  for (const [key, opened] of inner) {
    const member = finish(opened)
    if (member === opened.source) continue
    draft.isWritten = true
    members.set(key, member)
  }
  if (!draft.isWritten) return source
  if (isList(source)) return [...members.values()] as Json[]
  const written: Record<string, Json> = { ...(source as Document), ...(Object.fromEntries(members) as Document) }
  for (const [key, value] of members) if (value === undefined) delete written[key]
  return written
}

/** Says whether a path is that of the time of the last save, by the client's own clock: the server never counts it. */
export const isClock = (path: Path): boolean => path[0] === 'lastSaved'

/** Says whether some path of the one and some path of the other overlap. */
export const collide = (a: readonly Change[], b: readonly Change[]): boolean =>
  a.some((one) => b.some((other) => overlap(one.path, other.path)))

/** Says whether a path is equal to, above or below the other. */
export const overlap = (a: Path, b: Path): boolean => a.every((key, level) => level >= b.length || key === b[level])
