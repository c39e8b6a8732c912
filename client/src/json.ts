/** What of a value can be saved. Pure, but for what it remembers. */

import type { Maybe } from './document.js'
import type { Json } from './types.js'

const known = new WeakMap<object, Json>()

/** The value without functions and what else JSON has no word for; the same object where there is nothing of that. */
export const jsonOf = (value: unknown): Maybe => {
  if (typeof value === 'object' && value !== null) {
    const json = known.get(value) ?? partsOf(value)
    known.set(value, json)
    return json
  }
  return ['function', 'undefined', 'symbol', 'bigint'].includes(typeof value) ? undefined : (value as Json)
}

const partsOf = (value: object): Json => {
  const parts = Object.entries(value).map(([key, part]) => [key, part, jsonOf(part)] as const)
  if (parts.every(([, part, json]) => part === json && json !== undefined)) return value as Json
  if (Array.isArray(value)) return value.map((part) => jsonOf(part) ?? null)
  return Object.fromEntries(parts.flatMap(([key, , json]) => (json === undefined ? [] : [[key, json]])))
}
