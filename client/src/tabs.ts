/** The clients of one browser: each holds a lock while it lives, so that its outbox is adopted once it is gone. */

import { attempt } from './attempt.js'
import { newId } from './ids.js'
import { clientOf, PREFIX, type Box, type Outbox } from './outbox.js'

/** The box of a dead client; nobody else touches it until `release` is called, once everything of it was sent. */
export interface Orphan {
  readonly box: Box
  /** False once the page slept or let go of its clients: others may go on with the box. */
  readonly isHeld: () => boolean
  readonly release: () => void
}

export interface TabsOptions {
  readonly outbox: Outbox
  /** Whether it is of this user and endpoint; others are left alone. Until the user is known: false. */
  readonly isOurs: (box: Box) => boolean
  /** A box that was found by `look`, or (of another workflow) by `orphans`. */
  readonly onOrphan: (orphan: Orphan) => void
}

export interface Tabs {
  /** Of what is shown now. */
  readonly clientId: string
  /** Go on as a new client; what the one before left is as that of a dead one. */
  readonly renew: () => void
  /** The work that dead clients left for a workflow, without waiting for any that still lives. For the first view. */
  readonly orphans: (workflowId: string) => Promise<readonly Orphan[]>
  /** Wait for the end of every client whose outbox is seen. At start, when the page is seen again, and now and then. */
  readonly look: () => Promise<void>
  /** The page may sleep (`pagehide`): every lock is let go, adopted boxes too. */
  readonly pause: () => void
  /**
   * The page is back. False: others may have sent what was unsent here, so drop every segment that is kept on the
   * device, `renew`, load again, and take what is left of them back by `orphans`.
   */
  readonly resume: () => Promise<boolean>
  readonly close: () => void
}

const HEAD_START_MS = 2_000 // a tab that is only loaded again has its own work back first, on its own screen
const NAME = 'workflow-sync:' // of locks, followed by the client, and of what a tab remembers of its own clients

type Release = () => void

/** A page over plain http has no locks; its tabs look only after what they left themselves when they were reloaded. */
const withoutLocks = {
  request: async (_name: string, _options: LockOptions, run: (lock: object) => unknown) => run({}),
}
const lives = new Map<string, boolean>() // clients of this page, which may show several workflows

export function createTabs({ outbox, isOurs, onOrphan }: TabsOptions): Tabs {
  const locks: LockManager | undefined = globalThis.navigator?.locks
  const manager = locks ?? withoutLocks
  const held = new Set<Release>()
  let clientId = ''
  let own: Promise<Release | undefined> | undefined // lock
  let busy = new Set<string>() // clients that are waited for or adopted
  let waiting = new AbortController()
  let hadAdopted = false
  let isAsleep = false

  /** What lets the lock go, once it is held; undefined where it is not to be had. */
  const hold = (id: string, options: LockOptions) =>
    new Promise<Release | undefined>((resolve) => {
      const keep = (lock: object | null) =>
        lock &&
        !isAsleep &&
        new Promise<void>((end) => {
          const release = () => {
            held.delete(release)
            end()
          }
          held.add(release)
          resolve(release)
        })
      const end = () => resolve(undefined)
      manager.request(NAME + id, options, keep).then(end, end)
    })

  const renew = () => {
    void own?.then((release) => release?.())
    lives.set(clientId, false)
    clientId = newId()
    lives.set(clientId, true)
    if (!locks) attempt(() => sessionStorage.setItem(NAME, remembered() + clientId))
    own = hold(clientId, {})
  }

  const isDead = (id: string) => !(lives.get(id) ?? !remembered().includes(id)) // as far as that is known without locks

  const isFree = (id: string) => id !== clientId && !busy.has(id) && (locks || isDead(id))

  const boxesOf = async (id: string) => {
    const names = (await outbox.list()).filter((name) => name.clientId === id)
    const boxes = await Promise.all(names.map((name) => outbox.read(id, name.workflowId)))
    return boxes.filter((box) => box !== null).filter(isOurs)
  }

  const adopt = async (id: string): Promise<readonly Orphan[]> => {
    if (!isFree(id)) return []
    const mine = busy.add(id)
    const release = await hold(id, { ifAvailable: true })
    const left = new Set(release && (await boxesOf(id)))
    const letGo = (box?: Box) => {
      if (box) left.delete(box)
      if (left.size) return
      mine.delete(id)
      release?.()
    }
    letGo()
    const isHeld = () => mine === busy
    return isHeld() ? [...left].map((box) => ({ box, isHeld, release: () => letGo(box) })) : []
  }

  const awaitEnd = async (id: string) => {
    if (!isFree(id)) return
    const mine = busy.add(id)
    const release = await hold(id, { signal: waiting.signal })
    release?.()
    await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS))
    mine.delete(id)
    for (const orphan of await adopt(id)) onOrphan(orphan)
  }

  const owners = async () => new Set((await outbox.list()).map((name) => name.clientId))

  const look = async () => (await owners()).forEach(awaitEnd)

  const orphans = async (workflowId: string) => {
    const found = (await Promise.all([...(await owners())].map(adopt))).flat()
    return found.filter((orphan) => orphan.box.workflowId === workflowId || onOrphan(orphan))
  }

  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (newValue && key?.startsWith(PREFIX) && isFree(clientOf(key))) look()
  }

  const pause = () => {
    isAsleep = true
    hadAdopted = held.size > 1
    waiting.abort()
    waiting = new AbortController()
    busy = new Set()
    held.forEach((release) => release())
  }

  const resume = async () => {
    if (!isAsleep) return true
    isAsleep = false
    own = hold(clientId, { ifAvailable: true })
    return (await own) !== undefined && !hadAdopted && outbox.isUntouched(clientId)
  }

  const close = () => {
    globalThis.removeEventListener?.('storage', onStorage)
    lives.set(clientId, false)
    pause()
  }

  globalThis.addEventListener?.('storage', onStorage)
  renew()
  return {
    get clientId() {
      return clientId
    },
    renew,
    orphans,
    look,
    pause,
    resume,
    close,
  }
}

const remembered = () => attempt(() => sessionStorage.getItem(NAME)) ?? ''
