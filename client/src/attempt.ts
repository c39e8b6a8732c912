/** Doing what a browser may refuse: storage in a private window, text that is no JSON. */

/** What it gives; undefined where it throws. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
