/** Who somebody is in development: a guest of this browser, whose id stays and whose name is theirs to choose. */

const KEY = 'workflow-sync:guest'
const ANIMALS = [
  'Otter',
  'Heron',
  'Lynx',
  'Badger',
  'Finch',
  'Marten',
  'Puffin',
  'Gecko',
  'Ibis',
  'Tapir',
  'Wren',
  'Koala',
  'Seal',
  'Stork',
  'Fox',
  'Hare',
  'Owl',
  'Panda',
  'Robin',
  'Vole',
]
const SHAPE = /^guest-([a-z]+)-[0-9a-f]{6}$/

export interface Guest {
  readonly id: string
  readonly name: string
}

export function storedGuest(): Guest | null {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Partial<Guest> | null
    return typeof stored?.id === 'string' && typeof stored.name === 'string'
      ? { id: stored.id, name: stored.name }
      : null
  } catch {
    return null // a browser that keeps nothing
  }
}

/** Be this guest from now on. */
export function keepGuest(guest: Guest): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(guest))
  } catch {
    // a guest until the page is left
  }
}

/** "Guest Otter" of "guest-otter-7f3a21"; null for any other id. */
export function guestName(id: string): string | null {
  const animal = SHAPE.exec(id)?.[1]
  return animal === undefined ? null : `Guest ${animal.charAt(0).toUpperCase()}${animal.slice(1)}`
}

export function newGuest(): Guest {
  const animal = ANIMALS[Math.floor(Math.random() * ANIMALS.length)] ?? 'Otter'
  const id = `guest-${animal.toLowerCase()}-${crypto.randomUUID().slice(0, 6)}`
  return { id, name: `Guest ${animal}` }
}
