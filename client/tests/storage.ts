/** What a page keeps: texts by key, up to so many characters, as localStorage does. */

import type { SyncStorage } from '../src/types.js'

export class FakeStorage implements SyncStorage {
  readonly texts = new Map<string, string>()
  quota = Infinity

  get length() {
    return this.texts.size
  }

  getItem(key: string) {
    return this.texts.get(key) ?? null
  }

  setItem(key: string, text: string) {
    const others = [...this.texts].filter(([other]) => other !== key)
    const used = others.reduce((sum, [other, kept]) => sum + other.length + kept.length, 0)
    if (used + key.length + text.length > this.quota) throw new DOMException('It is full.', 'QuotaExceededError')
    this.texts.set(key, text)
  }

  removeItem(key: string) {
    this.texts.delete(key)
  }

  key(index: number) {
    return [...this.texts.keys()][index] ?? null
  }
}

const refuse = (): never => {
  throw new DOMException('The page may keep nothing.', 'SecurityError')
}

/** A storage that refuses everything. */
export const refusing: SyncStorage = {
  get length() {
    return refuse()
  },
  getItem: refuse,
  setItem: refuse,
  removeItem: refuse,
  key: refuse,
}
