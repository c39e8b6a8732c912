/** The types of the server, generated from schema/schema.graphql by `npm run generate`. */

import type { Json } from './types.js'

/** One change: exactly one of a new value, a removal, or a new order of the keyed list at the path. */
export interface Change {
  readonly path: readonly string[]
  readonly value: Json | null
  readonly remove: boolean
  readonly order: readonly string[] | null
}

/** One change: exactly one of `value` (null is a value), `remove: true`, or `order`: the ids of the keyed list at `path`, in their new order. */
export interface ChangeInput {
  readonly path: readonly string[]
  readonly value?: Json | null
  readonly remove?: boolean | null
  readonly order?: readonly string[] | null
}

/** A value that two saves gave differently; with an empty path, a whole payload that could not be written. `yours` is the save that met the conflict. */
export interface Conflict {
  /** What `resolveConflict` takes; null where nothing is kept. */
  readonly id: string | null
  readonly path: readonly string[]
  readonly base: Json | null
  readonly baseAbsent: boolean
  readonly theirs: Json | null
  readonly theirsAbsent: boolean
  readonly yours: Json | null
  readonly yoursAbsent: boolean
  readonly winner: Side
  readonly yoursBy: string
  readonly theirsBy: string
  readonly theirsAt: string
  readonly theirsVersion: number
}

/** Somebody with whom a workflow is shared. */
export interface Member {
  readonly userId: string
  readonly role: Role
}

export interface Mutation {
  /** Save one document. */
  readonly syncWorkflow: SyncWorkflowPayload
  /** Save several documents, in order: the flush at unload and the first upload. */
  readonly syncWorkflows: readonly SyncWorkflowPayload[]
  /** Save an old version again, on top of what stands (owner, editor). */
  readonly restoreVersion: SyncWorkflowPayload
  /** Take one version back by its inverse changes, merged with everything since (owner, editor). */
  readonly undo: SyncWorkflowPayload
  /** Close a conflict by saving one of its sides (owner, editor). */
  readonly resolveConflict: SyncWorkflowPayload
  /** Name a version, which is then kept for good, or take its name away (owner, editor). */
  readonly labelVersion: WorkflowVersion
  /** Give a workflow another name (owner, editor). */
  readonly renameWorkflow: Workflow
  /** Copy a workflow, without its history, into a new one of the caller's own. */
  readonly duplicateWorkflow: Workflow
  /** Put a workflow into the trash (owner). */
  readonly deleteWorkflow: Workflow
  /** Take a workflow out of the trash (owner). */
  readonly undeleteWorkflow: Workflow
  /** Remove a workflow for good, its history too (owner). Its id stays taken. */
  readonly purgeWorkflow: string
  /** Let somebody see (VIEWER) or also save (EDITOR) a workflow (owner). */
  readonly shareWorkflow: Workflow
  /** Take somebody's role away again (owner). */
  readonly unshareWorkflow: Workflow
  /** Say what others see of a tab of the caller's that listens to `presence` (any role): at most 4 KiB of JSON, the newest counts, never stored. False where that tab is not there. */
  readonly setPresence: boolean
}

/** Where a page stands in its list. */
export interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

/** Somebody who has a workflow open: one tab of one user. */
export interface Presence {
  readonly clientId: string
  readonly userId: string
  readonly name: string | null
  /** What this tab said with `setPresence`; null before. */
  readonly state: Json | null
  /** When it said that; before, when it came. */
  readonly at: string
}

/** Why a save was REJECTED, and where in the document. */
export interface Problem {
  readonly path: readonly string[]
  readonly code: string
  readonly message: string
}

export interface Query {
  /** Who is calling. */
  readonly viewer: Viewer
  /** One workflow; null where there is none or the caller may not see it. */
  readonly workflow: Workflow | null
  /** The workflows that the caller may see, newest saved first: by part of the name (`search`), by a part of the document (`containing`), or those in the trash (`deleted`). */
  readonly workflows: WorkflowConnection
}

/** What was taken out so that the graph is sound. */
export interface Repair {
  readonly path: readonly string[]
  /** END_MISSING: an edge whose end is gone. DUPLICATE: an edge that two saves added. MEMBER_MISSING: a member of a loop or parallel that is gone. */
  readonly reason: string
  readonly removed: Json | null
}

/** What somebody may do with a workflow. */
export type Role = 'OWNER' | 'EDITOR' | 'VIEWER'

/** Why a client saves. */
export type SaveReason = 'DEBOUNCED' | 'PERIODIC' | 'UNLOAD' | 'MANUAL' | 'IMPORT' | 'RESTORE' | 'UNDO' | 'RESOLVE'

/** Whose value. */
export type Side = 'YOURS' | 'THEIRS' | 'BASE'

export interface Subscription {
  /** Every save of a workflow above `sinceVersion` (default: the current one), in order, without gaps or doubles; those of the caller's own `exceptClient` left out. */
  readonly workflowSaved: WorkflowSaved
  /** Whatever happens, from now on, to any workflow that the caller may see. */
  readonly workflowsChanged: WorkflowsChanged
  /** Everybody who has a workflow open, oldest first (at most 200), now and each time that changes: at most 20 times a second, in a crowd less often. With `clientId` the caller is there, too, until the subscription ends. */
  readonly presence: readonly Presence[]
}

/** What to do where somebody else saved since the base. */
export type SyncMode = 'MERGE' | 'STRICT' | 'OVERWRITE'

/** What became of a save. */
export type SyncStatus = 'CREATED' | 'SAVED' | 'MERGED' | 'UNCHANGED' | 'CONFLICT' | 'REJECTED' | 'RESYNC' | 'OUT_OF_ORDER'

/** One save: the whole `state`, or only the `changes`. */
export interface SyncWorkflowInput {
  /** A new workflow's id is the client's choice: a random UUID. */
  readonly id: string
  /** The whole document ... */
  readonly state?: Json | null
  /** ... or only what changed: exactly one of the two. */
  readonly changes?: readonly ChangeInput[] | null
  /** The version that the client had when it made the edit; 0: it did not exist. */
  readonly baseVersion?: number | null
  /** The name of a workflow that this save creates. */
  readonly name?: string | null
  /** This tab. */
  readonly clientId?: string | null
  /** 1, 2, 3 ... for each save of this clientId to this workflow: makes a retry safe. */
  readonly sequence?: number | null
  readonly reason?: SaveReason | null
  readonly mode?: SyncMode | null
  readonly allowEmpty?: boolean | null
  /** Answer the same, write nothing. */
  readonly dryRun?: boolean | null
}

/** What became of a save. */
export interface SyncWorkflowPayload {
  readonly status: SyncStatus
  readonly id: string
  /** The version that this answer describes. */
  readonly version: number
  readonly savedAt: string | null
  /** This (clientId, sequence) was answered before; here is that answer again. */
  readonly replayed: boolean
  /** The last one decided for this client. */
  readonly lastSequence: number | null
  /** What the client must still apply to hold exactly the server's state at `version`. After REJECTED, RESYNC and OUT_OF_ORDER, read `workflow` instead. */
  readonly changes: readonly Change[]
  readonly conflicts: readonly Conflict[]
  readonly repairs: readonly Repair[]
  /** Why REJECTED. */
  readonly problems: readonly Problem[]
  readonly workflow: Workflow | null
}

/** Versions, newest first. */
export interface VersionConnection {
  readonly edges: readonly VersionEdge[]
  readonly pageInfo: PageInfo
}

export interface VersionEdge {
  readonly node: WorkflowVersion
  readonly cursor: string
}

/** Who is calling. */
export interface Viewer {
  readonly id: string
  readonly name: string | null
}

/** One workflow, as the caller may see it. */
export interface Workflow {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly role: Role
  readonly ownerId: string
  readonly savedBy: string
  readonly savedAt: string
  readonly createdAt: string
  readonly deletedAt: string | null
  /** The whole document at `version`. */
  readonly state: Json
  /** The saves that led here, newest first. */
  readonly versions: VersionConnection
  /** One version; null where there is no such version. */
  readonly atVersion: WorkflowVersion | null
  /** What leads from version `from` (0: the empty document) to `to` (default: the current one). */
  readonly diff: readonly Change[]
  /** The version that last set the value at a path, something inside it, or what it is part of. */
  readonly blame: WorkflowVersion | null
  /** With whom the workflow is shared, besides its owner. */
  readonly members: readonly Member[]
  /** The conflicts that nobody has resolved, newest first. */
  readonly conflicts: readonly Conflict[]
}

/** Workflows, newest saved first. */
export interface WorkflowConnection {
  readonly edges: readonly WorkflowEdge[]
  readonly pageInfo: PageInfo
}

export interface WorkflowEdge {
  readonly node: Workflow
  readonly cursor: string
}

/** What can happen to a workflow. */
export type WorkflowEvent = 'CREATED' | 'SAVED' | 'RENAMED' | 'DELETED' | 'UNDELETED' | 'PURGED' | 'SHARED' | 'UNSHARED'

/** A save of a workflow. */
export interface WorkflowSaved {
  readonly id: string
  readonly version: number
  readonly conflicts: readonly Conflict[]
  readonly repairs: readonly Repair[]
  readonly savedBy: string
  readonly savedAt: string
  readonly clientId: string | null
  readonly reason: SaveReason
  /** What leads from the version before to this one. */
  readonly changes: readonly Change[]
  /** The whole document at `version`. */
  readonly state: Json
  /** The workflow as it stands now. */
  readonly workflow: Workflow
}

/** One save of a workflow. */
export interface WorkflowVersion {
  readonly version: number
  readonly savedBy: string
  readonly savedAt: string
  readonly clientId: string | null
  readonly reason: SaveReason
  readonly label: string | null
  /** The whole document at this version. */
  readonly state: Json
  /** What this save changed. */
  readonly changes: readonly Change[]
  /** How much this save changed: the bytes of its journal entry as JSON. */
  readonly size: number
}

/** Something that happened to a workflow. */
export interface WorkflowsChanged {
  readonly id: string
  readonly kind: WorkflowEvent
  readonly version: number | null
  readonly by: string | null
  readonly at: string
  /** The workflow as it stands now; null where the caller may not see it any more. */
  readonly workflow: Workflow | null
}
