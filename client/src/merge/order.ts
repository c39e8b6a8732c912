/** The order of keyed lists that comes of a merge. */

import { type Keys, naturalOrder, same } from '../document.js'

/**
 * As yours where it changed the order, else as theirs. New items go last; one that comes back goes behind the item that
 * it stood behind.
 */
export const mergeOrder = (base: Keys, yours: Keys, theirs: Keys, merged: Keys): string[] => {
  const leading = same([...yours.keys()], naturalOrder(base, yours)) ? theirs : yours
  const back = comingBack(base, leading, merged)
  const order = [null, ...leading.keys()].flatMap((key) => run(key, back))
  const added = [...merged.keys()].filter((key) => !leading.has(key) && !base.has(key))
  return [...order, ...added].filter((key) => merged.has(key))
}

/** What comes back, by what it stood behind; null is the beginning. */
const comingBack = (base: Keys, leading: Keys, merged: Keys): ReadonlyMap<string | null, string> => {
  const back = new Map<string | null, string>()
  let place: string | null = null
  for (const key of base.keys()) {
    if (!merged.has(key)) continue
    if (!leading.has(key)) back.set(place, key)
    place = key
  }
  return back
}

/** An item, and those that come back behind it. */
const run = (first: string | null, back: ReadonlyMap<string | null, string>): string[] => {
  const found = first === null ? [] : [first]
  for (let key = back.get(first); key !== undefined; key = back.get(key)) found.push(key)
  return found
}
