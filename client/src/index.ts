/** Workflow documents that are safe on the server while people edit them. */

export type * as Server from './contract.js'
export type { Presence } from './contract.js'
export { createPresence, type PresenceOptions, type Room } from './presence.js'
export { SyncError } from './request.js'
export { sendLeftovers, type LeftoversOptions } from './send-leftovers.js'
export { webSocketFeed } from './socket.js'
export { createWorkflowSync } from './sync.js'
export type * from './types.js'
