/** One question to the server, for what the library does not do: lists, names, members. */

import type { Connection } from 'workflow-sync'
import { posted } from '../session'

export class Failure extends Error {
  /** `code` is one of the server's, or OFFLINE. */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

interface Answer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/** Throws a Failure. A sign-in that has ended is renewed once. */
export async function ask<Data>(connection: Connection, query: string, variables: object = {}): Promise<Data> {
  const body = { query, variables }
  let answer = await send<Data>(connection, body, false)
  if (codeOf(answer) === 'UNAUTHENTICATED') answer = await send<Data>(connection, body, true)
  const code = codeOf(answer)
  if (code !== null || !answer.data)
    throw new Failure(code ?? 'UNAVAILABLE', answer.errors?.[0]?.message ?? 'No answer')
  return answer.data
}

async function send<Data>({ endpoint, getAuth }: Connection, body: object, refresh: boolean): Promise<Answer<Data>> {
  const auth = await getAuth({ refresh })
  try {
    const response = await fetch(endpoint, posted(body, auth?.headers))
    return (await response.json()) as Answer<Data>
  } catch {
    throw new Failure('OFFLINE', 'The server cannot be reached.')
  }
}

function codeOf({ errors }: Answer<unknown>): string | null {
  return errors?.[0] ? (errors[0].extensions?.code ?? 'UNAVAILABLE') : null
}

/** What to tell a person. */
export function wordsFor(error: unknown): string {
  return error instanceof Error ? error.message : 'That did not work.'
}
