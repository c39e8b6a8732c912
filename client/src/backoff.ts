/** How long to wait before a request that failed is tried again. */

const FIRST_MS = 1_000 // a server that restarts needs no longer
const LONGEST_MS = 30_000 // whoever looks at "offline" should not have to wait longer once the server is back

/**
 * Milliseconds to wait after that many failures in a row: full jitter, as in Amazon's "Exponential Backoff and Jitter",
 * on top of what the server asked for (Retry-After), so that not everybody comes back at once.
 */
export const backoff = (failures: number, retryAfterMs = 0): number =>
  retryAfterMs + Math.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures)
