/**
 * Three-way merge: two versions of one base become one document; what collides is decided, and told whole.
 *
 *             yours left it     yours changed it                      yours removed it
 * theirs
 * left it     base              yours                                 gone
 * changed it  theirs            containers member by member, else     theirs: the edit wins, told
 *                               yours: the later one wins, told
 * removed it  gone              as it was when removed, plus the      gone
 *                               edit: the edit wins, told
 */

import { type Maybe, type Members, isClock, isList, membersOf, same } from '../document.js'
import type { Document, Json, Path } from '../types.js'
import { isMembership } from './graphs.js'
import { mergeOrder } from './order.js'
import { type Past, lastAt } from './past.js'

/** Two values for one path, undefined for none. The winner's is in the document; the other one is only here. */
export interface Collision {
  readonly path: Path
  readonly base: Maybe
  readonly theirs: Maybe
  readonly yours: Maybe
  readonly winner: 'YOURS' | 'THEIRS'
}

/** The values at one path. */
interface Sides {
  readonly base: Maybe
  readonly yours: Maybe
  readonly theirs: Maybe
}

/** What a merge looks things up in, and where it tells what collides. */
interface Merging {
  readonly past: Past
  readonly collisions: Collision[]
}

/**
 * Merges yours, the later one, into theirs, the last of the past that began with the base. No path of a collision is
 * part of another. Removals and orders alone are no edits: inside what the other side removed, they go with it.
 */
export const mergeDocuments = (
  base: Document,
  yours: Document,
  theirs: Document,
  past: Past,
): { readonly document: Document; readonly collisions: readonly Collision[] } => {
  const collisions: Collision[] = []
  const document = mergeValues({ past, collisions }, [], { base, yours, theirs })
  return { document: document as Document, collisions }
}

const mergeValues = (merging: Merging, path: Path, sides: Sides): Maybe => {
  const { base, yours, theirs } = sides
  if (isClock(path)) return same(yours, base) ? theirs : yours
  if (yours === base || yours === theirs) return theirs
  if (theirs === base) return yours
  return mergeContainers(merging, path, sides) ?? mergeWhole(merging, path, sides)
}

/** Merges objects by key, or keyed lists by id; undefined where one is something else. */
const mergeContainers = (merging: Merging, path: Path, sides: Sides): Json | undefined => {
  const { base = isList(sides.yours) ? [] : {}, yours, theirs } = sides
  const [old, your, their] = [membersOf(base), membersOf(yours), membersOf(theirs)]
  if (!old || !your || !their || isList(yours) !== isList(theirs) || isList(yours) !== isList(base)) return undefined
  const merged = mergeMembers(merging, path, old, your, their)
  const both: [Members, Maybe][] = [
    [their, theirs],
    [your, yours],
  ]
  if (!isList(yours)) return shared(merged, both, false) ?? Object.fromEntries(merged)
  const ordered = new Map(mergeOrder(old, your, their, merged).map((id) => [id, merged.get(id) ?? null]))
  return shared(ordered, both, true) ?? [...ordered.values()]
}

const mergeMembers = (merging: Merging, path: Path, base: Members, yours: Members, theirs: Members): Members => {
  const merged = new Map(theirs)
  for (const key of new Set([...theirs.keys(), ...yours.keys()])) {
    const sides = { base: base.get(key), yours: yours.get(key), theirs: theirs.get(key) }
    if (sides.base === sides.yours) continue
    const member = mergeValues(merging, [...path, key], sides)
    if (member === undefined) merged.delete(key)
    else merged.set(key, member)
  }
  return merged
}

/** The value of a side that has these very members. */
const shared = (members: Members, sides: [Members, Maybe][], isOrdered: boolean): Maybe =>
  sides.find(([others]) => {
    const keys = [...others.keys()]
    const isAt = ([key, member]: [string, Json], place: number): boolean =>
      others.get(key) === member && (!isOrdered || keys[place] === key)
    return keys.length === members.size && [...members].every(isAt)
  })?.[1]

/** Merges what has no members to go by, or is not there on one side. */
const mergeWhole = (merging: Merging, path: Path, sides: Sides): Maybe => {
  const { base, yours, theirs } = sides
  if (same(yours, base) || same(yours, theirs)) return theirs
  if (same(theirs, base)) return yours
  if (yours === undefined) return removedByYours(merging, path, sides)
  if (theirs === undefined) return removedByTheirs(merging, path, sides)
  const members = isMembership(path) ? mergeSets(base, yours, theirs) : undefined
  if (members) return members
  merging.collisions.push({ path, ...sides, winner: 'YOURS' })
  return yours
}

const removedByYours = ({ collisions }: Merging, path: Path, sides: Sides): Maybe => {
  if (isOnlyLess(path, sides.base, sides.theirs)) return undefined
  collisions.push({ path, ...sides, winner: 'THEIRS' })
  return sides.theirs
}

/** Brings a value back with what yours did to it. What it held of theirs, they knew when they removed it. */
const removedByTheirs = ({ past, collisions }: Merging, path: Path, sides: Sides): Maybe => {
  if (isOnlyLess(path, sides.base, sides.yours)) return undefined
  collisions.push({ path, ...sides, winner: 'YOURS' })
  const last = lastAt(past, path)
  return last ? mergeValues({ past, collisions: [] }, path, { ...sides, theirs: last.value }) : sides.yours
}

/** Merges lists of texts as sets, in the order of a keyed list; undefined where one is something else. */
const mergeSets = (base: Maybe, yours: Maybe, theirs: Maybe): Json | undefined => {
  const [old, your, their] = [textsOf(base ?? []), textsOf(yours), textsOf(theirs)]
  if (!old || !your || !their) return undefined
  const merged = [...their.keys(), ...your.keys()].filter(
    (text) => !old.has(text) || (your.has(text) && their.has(text)),
  )
  return mergeOrder(old, your, their, new Set(merged))
}

/** The texts of a list, each once; undefined where it is something else. */
const textsOf = (value: Maybe): Members | undefined => {
  if (!isList(value)) return undefined
  const texts = value.filter((item) => typeof item === 'string')
  return texts.length === value.length ? new Map(texts.map((text) => [text, null])) : undefined
}

/** Says whether a value is its base but for what was removed or brought into another order inside. */
const isOnlyLess = (path: Path, base: Maybe, value: Maybe): boolean => {
  const [old, now] = [partsOf(path, base), partsOf(path, value)]
  if (!old || !now || isList(base) !== isList(value)) return same(base, value)
  return [...now].every(([key, member]) => old.has(key) && isOnlyLess([...path, key], old.get(key), member))
}

/** What a value is made of, by key, by id, or by itself; undefined where it is one value. */
const partsOf = (path: Path, value: Maybe): Members | undefined =>
  membersOf(value) ?? (isMembership(path) ? textsOf(value) : undefined)
