/** Waiting for a pause in editing, though not for ever. */

const DEBOUNCE_MS = 2_000 // a pause in editing, not between keys
const MAX_WAIT_MS = 10_000 // or whoever never pauses would never save
export const PERIODIC_MS = 30_000 // what a timer missed, such as one that slept, waits no longer than this

/** Runs once nobody has called `later` for `pauseMs` milliseconds, or `longestMs` after the first call. */
export function createDebounce(run: () => void, pauseMs = DEBOUNCE_MS, longestMs = MAX_WAIT_MS) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let latest = 0 // when it has waited long enough, in milliseconds since 1970
  const stop = () => {
    clearTimeout(timer)
    latest = 0
  }
  const now = () => {
    stop()
    run()
  }
  const later = () => {
    clearTimeout(timer)
    latest ||= Date.now() + longestMs
    timer = setTimeout(now, Math.min(pauseMs, latest - Date.now()))
  }
  return { now, later, stop }
}
