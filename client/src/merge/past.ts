/** The documents from the base to theirs, oldest first: what was there before something went. */

import { type Maybe, diff, isObject, membersOf, own } from '../document.js'
import type { Document, Json, Path } from '../types.js'

export type Past = readonly Document[]

/** The value that is at a path; undefined where it leads nowhere. */
const find = (document: Document, path: Path): Maybe =>
  path.reduce<Maybe>((value, key) => (isObject(value) ? own(value, key) : membersOf(value)?.get(key)), document)

/** What was last at a path where there is nothing now, and in which document; undefined where there never was. */
export const lastAt = (past: Past, path: Path): { readonly place: number; readonly value: Json } | undefined => {
  for (let place = past.length - 1; place >= 0; place--) {
    const value = find(past[place] ?? {}, path)
    if (value !== undefined) return { place, value }
  }
  return undefined
}

/** The members, by key, that a place of the past was the last to have, gone one by one or all at once. */
export const goneAfter = (past: Past, place: number, parent: Path): ReadonlyMap<string, Json> => {
  const [before = {}, after = {}] = past.slice(place)
  const members = membersOf(find(before, parent)) ?? new Map<string, Json>()
  const removed = diff(before, after).flatMap((change) => ('remove' in change ? [change.path] : []))
  if (removed.some((path) => isSame(path, parent))) return members
  const keys = new Set(removed.filter((path) => isSame(path.slice(0, -1), parent)).map((path) => path.at(-1)))
  return new Map([...members].filter(([key]) => keys.has(key)))
}

const isSame = (a: Path, b: Path): boolean => a.length === b.length && a.every((key, level) => key === b[level])
