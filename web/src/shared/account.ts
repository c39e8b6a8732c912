/** How the editor signs in: in development as a guest, elsewhere by the cookie of the application. */

import type { Auth, Connection } from 'workflow-sync'
import { bearer, developmentToken, GRAPHQL } from '../session'
import { ask } from './ask'
import { type Guest, keepGuest, newGuest, storedGuest } from './guest'

export interface Account {
  readonly id: string
  readonly name: string
  /** In development somebody may choose a name. */
  readonly isGuest: boolean
  readonly connection: Connection
}

interface Viewer {
  readonly viewer: { readonly id: string; readonly name: string | null }
}

/** Throws a Failure: UNAUTHENTICATED where nobody is signed in. */
export async function openAccount(): Promise<Account> {
  const known = storedGuest() ?? newGuest()
  const first = await developmentToken(known.id)
  const connection = first === null ? byCookie() : byToken(known, first)
  const { viewer } = await ask<Viewer>(connection, '{ viewer { id name } }')
  const isGuest = first !== null
  if (isGuest) keepGuest(known)
  return { id: viewer.id, name: isGuest ? known.name : (viewer.name ?? viewer.id), isGuest, connection }
}

export function renamed(account: Account, name: string): Account {
  keepGuest({ id: account.id, name })
  return { ...account, name }
}

function byCookie(): Connection {
  return { endpoint: GRAPHQL, getAuth: () => ({}) }
}

function byToken({ id }: Guest, first: string): Connection {
  let auth: Auth = { headers: bearer(first) }
  const getAuth = ({ refresh }: { refresh: boolean }): Auth | Promise<Auth | null> => (refresh ? renew() : auth)
  const renew = async (): Promise<Auth | null> => {
    const token = await developmentToken(id)
    return token === null ? null : (auth = { headers: bearer(token) })
  }
  return { endpoint: GRAPHQL, getAuth }
}
