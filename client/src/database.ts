/** The IndexedDB of this library: texts by key, in two stores. It may refuse everything, as in a private window. */

import { attempt } from './attempt.js'

const PATIENCE_MS = 2_000 // some browsers never answer; nobody's first view waits longer than this for them

/**
 * Do something in one transaction, and give what `run` asked for once it is committed; undefined where it cannot be.
 * The database is closed each time: one that stays open keeps others from deleting it, and pages from the bfcache.
 */
export const transact = <T>(
  name: 'outbox' | 'documents',
  run: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> =>
  new Promise((resolve) => {
    const fail = () => resolve(undefined)
    setTimeout(fail, PATIENCE_MS)
    const opening = attempt(() => indexedDB.open('workflow-sync', 1))
    if (!opening) return fail()
    opening.onerror = fail
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('outbox')
      opening.result.createObjectStore('documents')
    }
    opening.onsuccess = () => {
      const database = opening.result
      const transaction = database.transaction(name, 'readwrite')
      const asked = run(transaction.objectStore(name))
      const end = (give: () => void) => () => {
        database.close()
        give()
      }
      transaction.oncomplete = end(() => resolve(asked.result))
      transaction.onabort = end(fail)
    }
  })
