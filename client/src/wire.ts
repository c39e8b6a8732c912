/** What is asked of the server, and its answers in our words. */

import type * as Server from './contract.js'
import type { Segment } from './outbox.js'
import type { Answer } from './pending.js'
import type { Request } from './request.js'
import type { Change, Conflict, Document, Role } from './types.js'

const CHANGES = 'changes{path value remove order}'
const CONFLICTS =
  'conflicts{id path base baseAbsent theirs theirsAbsent yours yoursAbsent winner ' +
  'yoursBy theirsBy theirsAt theirsVersion}'
const ANSWER = `{status version savedAt lastSequence problems{path code message}${CHANGES}${CONFLICTS}}`
const SAVE = `mutation($input:SyncWorkflowInput!){syncWorkflow(input:$input)${ANSWER}}`
const SAVE_ALL = `mutation($inputs:[SyncWorkflowInput!]!){syncWorkflows(inputs:$inputs)${ANSWER}}`
const READ = `query($id:ID!){viewer{id}workflow(id:$id){name version state role savedBy savedAt ${CONFLICTS}}}`

/** Every save of others. */
export const NEWS =
  'subscription($id:ID!,$sinceVersion:Int,$exceptClient:ID){workflowSaved(id:$id,sinceVersion:$sinceVersion,' +
  `exceptClient:$exceptClient){version savedBy savedAt reason ${CHANGES}${CONFLICTS}}}`

export interface Saved {
  readonly workflowSaved: Pick<Server.WorkflowSaved, 'version' | 'savedBy' | 'savedAt' | 'reason' | 'changes'> & {
    readonly conflicts: readonly Conflict[]
  }
}

export interface Read {
  readonly viewer: { readonly id: string }
  readonly workflow: {
    readonly name: string
    readonly version: number
    readonly state: Document
    readonly role: Role
    readonly savedBy: string
    readonly savedAt: string
    readonly conflicts: readonly Conflict[]
  } | null
}

type Told = Omit<Answer, 'changes'> & { readonly changes: readonly Server.Change[] }

/** A change as the server writes it, without what it leaves empty. */
export const changeOf = ({ path, value, remove, order }: Server.Change): Change =>
  order ? { path, order } : remove ? { path, remove } : { path, value }

const inputOf = (id: string, segment: Segment): Server.SyncWorkflowInput => {
  const { clientId, sequence, base, changes, state, name = null, reason = null, mode = null, allowEmpty } = segment
  const rest = { id, clientId, sequence, baseVersion: base, name, reason, mode, allowEmpty }
  return changes ? { ...rest, changes } : { ...rest, state }
}

const answerOf = (told: Told): Answer => ({ ...told, changes: told.changes.map(changeOf) })

export const read = (request: Request, id: string): Promise<Read> => request(READ, { id })

export const viewer = async (request: Request): Promise<string> => (await request<Read>('{viewer{id}}', {})).viewer.id

export const save = async (request: Request, id: string, segment: Segment): Promise<Answer> => {
  const data = await request<{ readonly syncWorkflow: Told }>(SAVE, { input: inputOf(id, segment) })
  return answerOf(data.syncWorkflow)
}

/** Everything at once, for `sendLast`. */
export const letterOf = (id: string, segments: readonly Segment[]) => {
  const inputs = segments.map((segment) => inputOf(id, segment))
  return { query: SAVE_ALL, variables: { inputs }, ...(inputs.length === 1 && { save: inputs[0] }) }
}

export interface Batch {
  readonly syncWorkflows: readonly Told[]
}

export const answersOf = (data: Batch): readonly Answer[] => data.syncWorkflows.map(answerOf)
