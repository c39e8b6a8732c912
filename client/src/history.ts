/** The past of a workflow: its versions, what led from one to another, and going back. */

import type * as Server from './contract.js'
import { SyncError, type Request } from './request.js'
import type { Ack, Document, History, Side, Version } from './types.js'
import { changeOf } from './wire.js'

const PAGE = '{edges{node{version savedBy savedAt clientId reason label}}pageInfo{hasNextPage endCursor}}'
const ONE = '$id:ID!,$version:Int!'
const LABEL = `mutation(${ONE},$label:String){labelVersion(id:$id,version:$version,label:$label){version}}`

type Reload = () => unknown
type Answer = Pick<Server.SyncWorkflowPayload, 'status' | 'version' | 'savedAt'> & {
  readonly problems: readonly Pick<Server.Problem, 'message'>[]
}
interface Read {
  readonly versions: {
    readonly edges: readonly { readonly node: Version }[]
    readonly pageInfo: Pick<Server.PageInfo, 'hasNextPage' | 'endCursor'>
  }
  readonly atVersion: { readonly state: Document } | null
  readonly diff: readonly Server.Change[]
}

/** Write to the past by another way than saving, then look at what stands. Throws SyncError. */
async function write(request: Request, types: string, field: string, variables: object, reload: Reload): Promise<Ack> {
  const query = `mutation(${types}){answer:${field}{status version savedAt problems{message}}}`
  const { answer } = await request<{ readonly answer: Answer }>(query, variables)
  await reload()
  if (answer.status === 'REJECTED') throw new SyncError(answer.status, answer.problems[0]?.message)
  return { version: answer.version, savedAt: answer.savedAt }
}

/** Close a conflict by one of its sides. Throws SyncError, NOT_FOUND also where somebody else has closed it. */
export const resolveConflict = (request: Request, id: string, take: Side, reload: Reload): Promise<Ack> =>
  write(request, '$id:ID!,$take:Side!', 'resolveConflict(id:$id,take:$take)', { id, take }, reload)

/** The history of the workflow that `id` names. `reload` is called after each write, which is not merged here. */
export function createHistory(request: Request, id: () => string, reload: Reload): History {
  const read = async (types: string, field: string, variables: object): Promise<Read> => {
    const query = `query($id:ID!,${types}){workflow(id:$id){${field}}}`
    const { workflow } = await request<{ readonly workflow: Read | null }>(query, { id: id(), ...variables })
    if (!workflow) throw new SyncError('NOT_FOUND')
    return workflow
  }
  const goBack = (field: string, version: number) =>
    write(request, ONE, `${field}(id:$id,version:$version)`, { id: id(), version }, reload)
  return {
    list: async (after = null) => {
      const { edges, pageInfo } = (await read('$after:String', `versions(after:$after)${PAGE}`, { after })).versions
      return { versions: edges.map(({ node }) => node), after: pageInfo.hasNextPage ? pageInfo.endCursor : null }
    },
    at: async (version) => {
      const { atVersion } = await read('$version:Int!', 'atVersion(version:$version){state}', { version })
      if (!atVersion) throw new SyncError('NOT_FOUND')
      return atVersion.state
    },
    diff: async (from, to) => {
      const field = 'diff(from:$from,to:$to){path value remove order}'
      return (await read('$from:Int!,$to:Int', field, { from, to })).diff.map(changeOf)
    },
    restore: (version) => goBack('restoreVersion', version),
    undo: (version) => goBack('undo', version),
    label: async (version, label) => {
      await request(LABEL, { id: id(), version, label })
    },
  }
}
