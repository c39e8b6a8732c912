/** The past of a workflow: its versions, what led from one to another, and going back. */

import type * as Server from './contract.js'
import { SyncError, type Request } from './request.js'
import type { Ack, Change, Document, History, Side } from './types.js'

const VERSION = 'version savedBy savedAt clientId reason label'
const LIST = `query($id:ID!,$after:String){workflow(id:$id){versions(after:$after){edges{node{${VERSION}}}pageInfo{hasNextPage endCursor}}}}`
const AT = 'query($id:ID!,$version:Int!){workflow(id:$id){atVersion(version:$version){state}}}'
const DIFF = 'query($id:ID!,$from:Int!,$to:Int){workflow(id:$id){diff(from:$from,to:$to){path value remove order}}}'
const ANSWER = '{status version savedAt problems{message}}'
const RESTORE = `mutation($id:ID!,$version:Int!){answer:restoreVersion(id:$id,version:$version)${ANSWER}}`
const UNDO = `mutation($id:ID!,$version:Int!){answer:undo(id:$id,version:$version)${ANSWER}}`
const RESOLVE = `mutation($id:ID!,$take:Side!){answer:resolveConflict(id:$id,take:$take)${ANSWER}}`
const LABEL = 'mutation($id:ID!,$version:Int!,$label:String){labelVersion(id:$id,version:$version,label:$label){version}}'

type Answer = Pick<Server.SyncWorkflowPayload, 'status' | 'version' | 'savedAt'> & {
  readonly problems: readonly Pick<Server.Problem, 'message'>[]
}
type Listed = Pick<Server.WorkflowVersion, 'version' | 'savedBy' | 'savedAt' | 'clientId' | 'reason' | 'label'>
interface Read {
  readonly versions: {
    readonly edges: readonly { readonly node: Listed }[]
    readonly pageInfo: Pick<Server.PageInfo, 'hasNextPage' | 'endCursor'>
  }
  readonly atVersion: { readonly state: Document } | null
  readonly diff: readonly Server.Change[]
}

/** A change as the server writes it, without what it leaves empty. */
export const changeOf = ({ path, value, remove, order }: Server.Change): Change =>
  order ? { path, order } : remove ? { path, remove } : { path, value }

/** Write to the past by another way than saving, then look at what stands. Throws SyncError. */
async function write(request: Request, mutation: string, variables: object, reload: () => unknown): Promise<Ack> {
  const { answer } = await request<{ readonly answer: Answer }>(mutation, variables)
  await reload()
  if (answer.status === 'REJECTED') throw new SyncError(answer.status, answer.problems[0]?.message)
  return { version: answer.version, savedAt: answer.savedAt }
}

/** Close a conflict by one of its sides. Throws SyncError, NOT_FOUND also where somebody else has closed it. */
export const resolveConflict = (request: Request, id: string, take: Side, reload: () => unknown): Promise<Ack> =>
  write(request, RESOLVE, { id, take }, reload)

/** The history of the workflow that `id` names. `reload` is called after each write, which is not merged here. */
export function createHistory(request: Request, id: () => string, reload: () => unknown): History {
  const read = async (query: string, variables: object): Promise<Read> => {
    const { workflow } = await request<{ readonly workflow: Read | null }>(query, { id: id(), ...variables })
    if (!workflow) throw new SyncError('NOT_FOUND')
    return workflow
  }
  return {
    list: async (after = null) => {
      const { edges, pageInfo } = (await read(LIST, { after })).versions
      return { versions: edges.map(({ node }) => node), after: pageInfo.hasNextPage ? pageInfo.endCursor : null }
    },
    at: async (version) => {
      const found = (await read(AT, { version })).atVersion
      if (!found) throw new SyncError('NOT_FOUND')
      return found.state
    },
    diff: async (from, to) => (await read(DIFF, { from, to })).diff.map(changeOf),
    restore: (version) => write(request, RESTORE, { id: id(), version }, reload),
    undo: (version) => write(request, UNDO, { id: id(), version }, reload),
    label: async (version, label) => void (await request(LABEL, { id: id(), version, label })),
  }
}
