/** Names for what is new: tabs, edges, steps of undo. */

/** 128 random bits; `crypto.randomUUID` is missing on pages over plain http. */
export const newId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
