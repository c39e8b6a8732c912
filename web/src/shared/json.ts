/** Reading and writing one place in a JSON value, by the same paths as in changes: keys, and ids in keyed lists. */

import type { Document, Json, Path } from 'workflow-sync'

export type Maybe = Json | undefined

export function isList(value: Maybe): value is readonly Json[] {
  return Array.isArray(value)
}

export function isObject(value: Maybe): value is Document {
  return typeof value === 'object' && value !== null && !isList(value)
}

export function idOf(value: Maybe): string | null {
  return isObject(value) && typeof value['id'] === 'string' ? value['id'] : null
}

export function getIn(value: Maybe, path: Path): Maybe {
  return path.reduce<Maybe>(member, value)
}

function member(value: Maybe, key: string): Maybe {
  if (isList(value)) return value.find((item) => idOf(item) === key)
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** A copy with another value at the path, or (undefined) without one; what is missing on the way there is made. */
export function setIn(value: Maybe, path: Path, next: Maybe): Json {
  const [key, ...rest] = path
  if (key === undefined) return next ?? null
  const inner = rest.length === 0 ? next : setIn(member(value, key), rest, next)
  return isList(value) ? setItem(value, key, inner) : setMember(isObject(value) ? value : {}, key, inner)
}

function setMember(object: Document, key: string, next: Maybe): Document {
  const { [key]: _, ...others } = object
  return next === undefined ? others : { ...object, [key]: next }
}

function setItem(list: readonly Json[], id: string, next: Maybe): readonly Json[] {
  if (next === undefined) return list.filter((item) => idOf(item) !== id)
  const at = list.findIndex((item) => idOf(item) === id)
  return at === -1 ? [...list, next] : list.with(at, next)
}

export function textIn(value: Maybe, path: Path): string {
  const found = getIn(value, path)
  return typeof found === 'string' ? found : ''
}

/** A value in a line. */
export function inline(value: Maybe): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)
}
