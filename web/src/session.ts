/** Who is calling: by a development token where this server hands one out, else by the session cookie. */

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

export async function signIn(): Promise<Session> {
  const token = await developmentToken()
  const headers: Headers = token === null ? {} : { Authorization: `Bearer ${token}` }
  return { development: token !== null, headers, viewer: await readViewer(headers) }
}

async function developmentToken(): Promise<string | null> {
  const response = await fetch(DEVELOPMENT_TOKEN, { method: 'POST' })
  if (response.status !== 200) return null // not in development: the server has no such route
  const { token } = (await response.json()) as { token: string }
  return token
}

async function readViewer(headers: Headers): Promise<Viewer | null> {
  const response = await fetch(GRAPHQL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query: 'query Viewer { viewer { id name } }' }),
  })
  const { data } = (await response.json()) as { data?: { viewer: Viewer } | null }
  return data?.viewer ?? null
}
