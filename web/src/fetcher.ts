/** How GraphiQL reaches this server: HTTP for queries and mutations, a WebSocket for subscriptions. */

import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit'
import { type DocumentNode, Kind, parse } from 'graphql'
import { GRAPHQL, type Headers } from './session'

/** `headers` say who is calling; what is written into GraphiQL's header editor goes before them, on the socket too. */
export function createFetcher(headers: Headers): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: GRAPHQL,
    subscriptionUrl: new URL(GRAPHQL, location.href.replace(/^http/, 'ws')).href,
    headers,
    wsConnectionParams: headers,
    enableIncrementalDelivery: false,
  })
  return (params, options = {}) => {
    const documentAST = read(params.query)
    if (documentAST === null) return fetcher(params, options)
    return fetcher({ ...params, operationName: chosen(documentAST, params.operationName) }, { ...options, documentAST })
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
function chosen(document: DocumentNode, name: string | null | undefined): string | null {
  const names = document.definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION && node.name ? [node.name.value] : [],
  )
  return names.find((known) => known === name) ?? names[0] ?? null
}
