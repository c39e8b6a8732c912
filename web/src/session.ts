/** Who is calling: by a development token where this server hands one out, else by the session cookie. */

import { storedGuest } from './shared/guest'

export const GRAPHQL = '/graphql'
const DEVELOPMENT_TOKEN = '/development/token'

export type Headers = Readonly<Record<string, string>>

export interface Viewer {
  readonly id: string
  readonly name: string | null
}

export interface Session {
  readonly development: boolean
  readonly headers: Headers
  readonly viewer: Viewer | null
}

/** Sign in as the guest that this browser has, if it has one. */
export async function signIn(): Promise<Session> {
  const token = await developmentToken(storedGuest()?.id)
  const headers: Headers = token === null ? {} : bearer(token)
  return { development: token !== null, headers, viewer: await readViewer(headers) }
}

export function bearer(token: string): Headers {
  return { Authorization: `Bearer ${token}` }
}

/** Null where this server hands out none, such as outside of development. */
export async function developmentToken(name?: string): Promise<string | null> {
  const response = await fetch(DEVELOPMENT_TOKEN, name === undefined ? { method: 'POST' } : posted({ name }))
  if (response.status >= 500) throw new Error(`The server answered ${response.status}`)
  if (!response.ok) return null
  const { token } = (await response.json()) as { token: string }
  return token
}

async function readViewer(headers: Headers): Promise<Viewer | null> {
  const response = await fetch(GRAPHQL, posted({ query: 'query Viewer { viewer { id name } }' }, headers))
  const { data } = (await response.json()) as { data?: { viewer: Viewer } | null }
  return data?.viewer ?? null
}

export function posted(body: object, headers: Headers = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}
