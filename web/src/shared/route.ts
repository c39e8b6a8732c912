/** Which page is shown: kept in the hash of the address, so that the server has one page. */

import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'list' }
  | { readonly page: 'trash' }
  /** `isNew`: it begins empty where there is no such workflow yet. */
  | { readonly page: 'workflow'; readonly id: string; readonly isNew: boolean }

export const LIST = '#/'
export const TRASH = '#/trash'
export const NEW = '#/new'
export const DEVELOPERS = '/developers'

export function workflowAt(id: string): string {
  return `#/w/${encodeURIComponent(id)}`
}

export function routeOf(hash: string): Route {
  const [, page, id] = /^#\/(\w*)\/?([^?]*)/.exec(hash) ?? []
  if (page === 'w' && id) return { page: 'workflow', id: decodeURIComponent(id), isNew: hash.endsWith('?new') }
  return { page: page === 'trash' ? 'trash' : 'list' }
}

export function go(hash: string): void {
  location.hash = hash
}

/** The address of a workflow once it exists. */
export function settle(id: string): void {
  history.replaceState(null, '', workflowAt(id))
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(listen, current))
}

function listen(listener: () => void): () => void {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

function current(): string {
  if (location.hash === NEW) history.replaceState(null, '', `${workflowAt(crypto.randomUUID())}?new`)
  return location.hash
}
