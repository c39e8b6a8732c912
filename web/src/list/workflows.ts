/** What the server does with whole workflows: lists, names, copies, the trash, members. */

import type { Connection, Document, Role, Server } from 'workflow-sync'
import { ask, Failure } from '../shared/ask'

export type Listed = Pick<
  Server.Workflow,
  'id' | 'name' | 'version' | 'role' | 'ownerId' | 'savedBy' | 'savedAt' | 'deletedAt'
>

export interface Page {
  readonly workflows: readonly Listed[]
  /** What gives the next page; null at the end. */
  readonly after: string | null
}

const FIELDS = 'id name version role ownerId savedBy savedAt deletedAt'
const LIST = `query Workflows($after: String, $search: String, $deleted: Boolean) {
  workflows(first: 24, after: $after, search: $search, deleted: $deleted) {
    edges { node { ${FIELDS} } }
    pageInfo { hasNextPage endCursor }
  }
}`
const READ = 'query Read($id: ID!) { workflow(id: $id) { name state } }'
const SAVE = `mutation Import($input: SyncWorkflowInput!) {
  syncWorkflow(input: $input) { status problems { path message } }
}`
const MEMBERS = 'query Members($id: ID!) { workflow(id: $id) { ownerId members { userId role } } }'
const SHARE = `mutation Share($id: ID!, $userId: ID!, $role: Role!) {
  shareWorkflow(id: $id, userId: $userId, role: $role) { id }
}`
const UNSHARE = 'mutation Unshare($id: ID!, $userId: ID!) { unshareWorkflow(id: $id, userId: $userId) { id } }'
const RENAME = 'mutation Rename($id: ID!, $name: String!) { renameWorkflow(id: $id, name: $name) { id } }'
const DUPLICATE = `mutation Duplicate($id: ID!, $newId: ID!, $name: String) {
  duplicateWorkflow(id: $id, newId: $newId, name: $name) { id }
}`
const DELETE = 'mutation Delete($id: ID!) { deleteWorkflow(id: $id) { id } }'
const UNDELETE = 'mutation Undelete($id: ID!) { undeleteWorkflow(id: $id) { id } }'
const PURGE = 'mutation Purge($id: ID!) { purgeWorkflow(id: $id) }'

export interface Membership {
  readonly ownerId: string
  readonly members: readonly Server.Member[]
}

export type Workflows = ReturnType<typeof workflowsOf>

/** Each rejects with a Failure. */
export function workflowsOf(connection: Connection) {
  const send = <Data>(query: string, variables: object) => ask<Data>(connection, query, variables)
  return {
    list: (filter: { after?: string | null; search?: string | null; deleted: boolean }) =>
      send<{ workflows: Server.WorkflowConnection }>(LIST, filter).then(pageOf),
    read: (id: string) => send<{ workflow: Named | null }>(READ, { id }).then(({ workflow }) => found(workflow)),
    members: (id: string) =>
      send<{ workflow: Membership | null }>(MEMBERS, { id }).then(({ workflow }) => found(workflow)),
    create: (id: string, name: string, state: Document) =>
      send<Saved>(SAVE, { input: { id, name, state, baseVersion: 0, reason: 'IMPORT', allowEmpty: true } }).then(taken),
    share: (id: string, userId: string, role: Role) => send(SHARE, { id, userId, role }),
    unshare: (id: string, userId: string) => send(UNSHARE, { id, userId }),
    rename: (id: string, name: string) => send(RENAME, { id, name }),
    duplicate: (id: string, newId: string, name: string) => send(DUPLICATE, { id, newId, name }),
    remove: (id: string) => send(DELETE, { id }),
    undelete: (id: string) => send(UNDELETE, { id }),
    purge: (id: string) => send(PURGE, { id }),
  }
}

interface Named {
  readonly name: string
  readonly state: Document
}

interface Saved {
  readonly syncWorkflow: Pick<Server.SyncWorkflowPayload, 'status' | 'problems'>
}

function pageOf({ workflows: { edges, pageInfo } }: { workflows: Server.WorkflowConnection }): Page {
  return { workflows: edges.map(({ node }) => node), after: pageInfo.hasNextPage ? pageInfo.endCursor : null }
}

function found<Value>(value: Value | null): Value {
  if (value === null) throw new Failure('NOT_FOUND', 'That workflow is not there any more.')
  return value
}

function taken({ syncWorkflow: { status, problems } }: Saved): void {
  if (status !== 'CREATED') throw new Failure(status, problems[0]?.message ?? 'The server did not take it.')
}
