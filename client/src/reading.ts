/** Reading what stands: first from wherever something of a workflow is, then from the server again. */

import type { Holding } from './holding.js'
import { keepDocument, readDocument, type Box } from './outbox.js'
import type { Opening, Page } from './page.js'
import { begin, loaded, reloaded } from './pending.js'
import { isPassing, SyncError } from './request.js'
import { REACHED } from './snapshot.js'
import * as wire from './wire.js'

const NONE = { version: 0, state: {}, name: null, role: null, savedBy: null, savedAt: null, conflicts: [] }

/** `onRead` comes each time, once what was read is held. */
export function createReading(
  page: Page,
  id: string,
  { initial, name }: Opening,
  holding: Holding,
  onRead: () => void,
) {
  const { request, tabs, leftovers } = page
  const { merge } = page.options
  const { get, put, tell } = holding
  let copied = -1 // the version that is kept for a start without network
  let release = () => {} // of the lock of a dead client, as which this goes on

  const read = async () => {
    const { viewer, workflow } = await wire.read(request, id)
    if (page.user && page.user !== viewer.id) throw new SyncError('FORBIDDEN', 'Somebody else has signed in.')
    page.user = viewer.id
    const { version, state: document, ...told } = workflow ?? NONE
    tell({ ...REACHED, ...told })
    return { version, document }
  }

  /** What the server has or, where it cannot be reached, had. */
  const found = async () => {
    try {
      return { ...(await read()), failure: null }
    } catch (failure) {
      const copy = isPassing(failure) ? await readDocument(id, page.user ?? undefined) : null
      if (!copy) throw failure
      page.user = copy.user
      tell({ name: copy.name, role: copy.role })
      return { ...copy, failure }
    }
  }

  /** Go on as the dead client that left work for this workflow; what others left is sent beside it. */
  const adopted = async (): Promise<Box | undefined> => {
    const [first, ...others] = await tabs.orphans(id)
    others.forEach(leftovers.send)
    release = first?.release ?? release
    return first?.box
  }

  const load = async () => {
    await leftovers.sent(id)
    const { version, document, failure } = await found()
    const box = await adopted()
    void tabs.look()
    if (holding.isClosed) return release()
    if (!version && !initial && !box?.segments[0]?.state) throw new SyncError('NOT_FOUND')
    const clientId = box?.clientId ?? tabs.clientId
    const view = (!version && !box && initial) || document
    const begun = { clientId, last: 0, version, confirmed: document, view, isStale: Boolean(failure), name, merge }
    put(loaded(begin(begun), box?.segments ?? []))
    onRead()
    remember()
    if (failure) throw failure
  }

  const reload = async () => {
    const before = get().version
    const { version, document } = await read()
    const now = get()
    if (!version && before) throw new SyncError('NOT_FOUND')
    if (!version) put({ ...now, isStale: false })
    else if (version >= now.version || now.version === before) put(reloaded(now, version, document))
    onRead()
  }

  const remember = () => {
    const { pending, known } = holding
    if (!pending || pending.isStale || pending.version === copied || !page.user) return
    const { version, confirmed } = pending
    copied = version
    void keepDocument(id, page.user, { version, document: confirmed, name: known.name, role: known.role })
  }

  return {
    /** Both throw SyncError, `load` also where it found a copy of what the server had. */
    load,
    reload,
    /** Keep a copy for a start without network. */
    remember,
    forget: () => void keepDocument(id, '', null),
    /** Let go of what was adopted. */
    close: () => release(),
  }
}
