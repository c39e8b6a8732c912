/** The IndexedDB of this library: texts by key, in two stores. Everything here may fail, as in a private window. */

const NAME = 'workflow-sync'
const PATIENCE_MS = 2_000 // some browsers never answer; nobody's first view waits longer than this for them

export type StoreName = 'outbox' | 'documents'

/** Do something in one transaction, and give what `run` asked for once it is committed. */
export function transact<T>(name: StoreName, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${NAME} does not answer`)), PATIENCE_MS)
    open()
      .then((database) => committed(database, name, run))
      .then(resolve, reject)
  })
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1)
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('outbox')
      opening.result.createObjectStore('documents')
    }
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
}

/** The database is closed each time: one that stays open keeps others from deleting it, and pages from the bfcache. */
async function committed<T>(
  database: IDBDatabase,
  name: StoreName,
  run: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  try {
    const transaction = database.transaction(name, 'readwrite')
    const asked = run(transaction.objectStore(name))
    await new Promise<unknown>((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = () => reject(transaction.error)
    })
    return asked.result
  } finally {
    database.close()
  }
}
