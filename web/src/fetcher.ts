/** How GraphiQL reaches this server: HTTP for queries and mutations, a WebSocket for subscriptions. */

import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from '@graphiql/toolkit'
import {
  type DocumentNode,
  type ExecutionResult,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
} from 'graphql'
import { createClient } from 'graphql-ws'
import { GRAPHQL, type Headers } from './session'

type Result = ExecutionResult<Record<string, unknown>, Record<string, unknown>>

const SOCKET = new URL(GRAPHQL, location.href.replace(/^http/, 'ws')).href

/** `headers` say who is calling; what is written into GraphiQL's header editor goes before them, on the socket too. */
export function createFetcher(headers: Headers): Fetcher {
  const overHttp = createGraphiQLFetcher({ url: GRAPHQL, headers, enableIncrementalDelivery: false })
  return (params, options = {}) => {
    const operation = chosen(read(params.query), params.operationName)
    const named = { ...params, operationName: operation?.name?.value ?? null }
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return overHttp(named, options)
    return subscribe(named, { ...headers, ...(options.headers as Headers | undefined) })
  }
}

/** Null where the text is no GraphQL: the server says best what is wrong with it. */
function read(text: string): DocumentNode | null {
  try {
    return parse(text)
  } catch {
    return null
  }
}

/** GraphiQL's own choice lags behind its editor, as when a tab is opened and run at once. */
function chosen(document: DocumentNode | null, name: string | null | undefined): OperationDefinitionNode | undefined {
  const operations = document?.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION) ?? []
  return operations.find((operation) => operation.name?.value === name) ?? operations[0]
}

/** Each subscription has a socket of its own, since the headers may have been edited; it closes with the last reader. */
function subscribe(params: FetcherParams, headers: Headers): AsyncIterableIterator<Result> {
  const client = createClient({ url: SOCKET, connectionParams: headers })
  const operation = { ...params, operationName: params.operationName ?? null }
  const results = client.iterate(operation) as AsyncIterableIterator<Result> // whose errors are formatted
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => results.next().catch(explain),
    return: () => results.return?.() ?? Promise.resolve({ value: undefined, done: true }),
  }
}

function explain(error: unknown): never {
  if (error instanceof CloseEvent) throw new Error(`Socket closed with event ${error.code} ${error.reason}`)
  throw error
}
