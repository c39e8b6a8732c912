/** Workflow documents that are safe on the server while people edit them. */

export type * from './types.js'
