/** The server's schema, which every document that the client sends must fit. */

import { readFileSync } from 'node:fs'
import { buildSchema, GraphQLError, parse, validate } from 'graphql'

const SCHEMA = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'))

/** What the server would say against a GraphQL document. */
export const faults = (query: string): readonly GraphQLError[] => validate(SCHEMA, parse(query))
