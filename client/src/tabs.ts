/** The tabs of one browser: each holds a lock while it lives, so that its outbox is adopted once it is gone. */

import { clientOf, PREFIX, type Box, type Outbox } from './outbox.js'

/** The box of a dead tab; nobody else touches it until `release` is called, which is once everything of it was sent. */
export interface Orphan {
  readonly box: Box
  readonly release: () => void
}

export interface TabsOptions {
  readonly outbox: Outbox
  /** Whether it is of this user and endpoint; others are left alone. Until the user is known: false. */
  readonly isOurs: (box: Box) => boolean
  /** A box that was found by `look`, or (of another workflow) by `orphans`. */
  readonly onOrphan: (box: Box, release: () => void) => void
}

export interface Tabs {
  /** New for each page load, and after a `resume` that told false. */
  readonly clientId: string
  /** The work that dead tabs left for a workflow, without waiting for any that still lives. For the first view. */
  readonly orphans: (workflowId: string) => Promise<readonly Orphan[]>
  /** Wait for the end of every tab whose outbox is seen. At start, when the page is visible again, and now and then. */
  readonly look: () => void
  /** The page may sleep (`pagehide`): every lock is let go, adopted boxes too. */
  readonly pause: () => void
  /**
   * The page is back. False: others may have sent what was unsent here, so take the new `clientId`, drop every segment
   * that is kept on the device, load again, and take what is left of them back by `orphans`.
   */
  readonly resume: () => Promise<boolean>
  readonly close: () => void
}

const HEAD_START_MS = 2_000 // a tab that is only loaded again has its own work back first, on its own screen
const MOST_EARLIER = 16 // page loads of one tab that are remembered where there are no locks
const LOCK = 'workflow-sync:'
const SESSION = 'workflow-sync:clients'

const living = new Set<string>() // of this page, which may show several workflows

/** Without locks (a page over plain http), a tab only looks after what it left itself before it was loaded again. */
const withoutLocks: Pick<LockManager, 'request'> = {
  request: async (_: string, ...rest: unknown[]) => (rest.at(-1) as (lock: object) => unknown)({}),
}

export function createTabs({ outbox, isOurs, onOrphan }: TabsOptions): Tabs {
  const { locks } = globalThis.navigator ?? {}
  const held = new Set<() => void>() // what lets go of each lock
  let clientId = ''
  let busy = new Set<string>() // clients that are waited for or adopted
  let waiting = new AbortController()
  let hadAdopted = false

  /** What lets the lock go, once it is held; null where it is not to be had. */
  const hold = (id: string, options: LockOptions): Promise<(() => void) | null> =>
    new Promise((resolve) => {
      const keep = (lock: Lock | null) =>
        lock &&
        new Promise<void>((end) => {
          const release = () => {
            held.delete(release)
            end()
          }
          held.add(release)
          resolve(release)
        })
      const request = (locks ?? withoutLocks).request(LOCK + id, options, keep)
      request.catch(() => {}).then(() => resolve(null))
    })

  const begin = () => {
    living.delete(clientId)
    clientId = newId()
    living.add(clientId)
    if (!locks) remember(clientId)
    void hold(clientId, {})
  }

  const isFree = (id: string) => !living.has(id) && !busy.has(id) && (locks || remembered().includes(id))

  const owners = async (workflowId?: string) => {
    const names = await outbox.list()
    const seen = names.filter((name) => workflowId === undefined || name.workflowId === workflowId)
    return [...new Set(seen.map((name) => name.clientId))]
  }

  const boxesOf = async (id: string) => {
    const names = (await outbox.list()).filter((name) => name.clientId === id)
    const boxes = await Promise.all(names.map((name) => outbox.read(id, name.workflowId)))
    return boxes.filter((box) => box !== null).filter(isOurs)
  }

  const adopt = async (id: string): Promise<readonly Orphan[]> => {
    if (!isFree(id)) return []
    const mine = busy.add(id)
    const release = await hold(id, { ifAvailable: true })
    const boxes = release ? await boxesOf(id) : []
    const left = new Set(boxes)
    const end = () => {
      mine.delete(id)
      release?.()
    }
    if (!left.size) end()
    if (mine !== busy) return [] // asleep meanwhile: the lock is gone
    return boxes.map((box) => ({ box, release: () => void (left.delete(box) && !left.size && end()) }))
  }

  const tell = ({ box, release }: Orphan) => onOrphan(box, release)

  const awaitEnd = async (id: string) => {
    if (!isFree(id)) return
    const { signal } = waiting
    const mine = busy.add(id)
    const release = await hold(id, { signal })
    release?.()
    await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS))
    mine.delete(id)
    if (release && !signal.aborted) (await adopt(id)).forEach(tell)
  }

  const look = () => void owners().then((ids) => ids.forEach(awaitEnd))

  const orphans = async (workflowId: string) => {
    const found = (await Promise.all((await owners(workflowId)).map(adopt))).flat()
    found.filter(({ box }) => box.workflowId !== workflowId).forEach(tell)
    return found.filter(({ box }) => box.workflowId === workflowId)
  }

  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (newValue && key?.startsWith(PREFIX) && isFree(clientOf(key))) look()
  }

  const pause = () => {
    waiting.abort()
    waiting = new AbortController()
    busy = new Set()
    hadAdopted = held.size > 1
    for (const release of held) release()
  }

  const resume = async () => {
    const release = await hold(clientId, { ifAvailable: true })
    if (release && !hadAdopted && (await outbox.isUntouched(clientId))) return true
    release?.()
    begin()
    return false
  }

  const close = () => {
    globalThis.removeEventListener?.('storage', onStorage)
    pause()
    living.delete(clientId)
  }

  globalThis.addEventListener?.('storage', onStorage)
  begin()
  return {
    get clientId() {
      return clientId
    },
    orphans,
    look,
    pause,
    resume,
    close,
  }
}

/** 128 random bits. `crypto.randomUUID` is missing on pages over plain http. */
const newId = () => [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-')

function remembered(): readonly string[] {
  try {
    return sessionStorage.getItem(SESSION)?.split(',') ?? []
  } catch {
    return []
  }
}

function remember(clientId: string) {
  try {
    sessionStorage.setItem(SESSION, [...remembered(), clientId].slice(-MOST_EARLIER).join())
  } catch {
    // What such a page leaves is adopted by nobody, as it cannot keep an outbox either.
  }
}
