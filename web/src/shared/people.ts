/** What people are called and which colour they have, wherever they appear. */

import { guestName } from './guest'

// Dark enough for white text (4.5 to 1), bright enough for an outline on the dark page (3 to 1).
const COLOURS = [
  '#2f6fdf',
  '#0b7f74',
  '#b4446c',
  '#7d55c7',
  '#b25a10',
  '#3f7d20',
  '#c03a3a',
  '#0a7ea4',
  '#a23e9c',
  '#6a6f0d',
  '#8a5a44',
  '#5b63d3',
]
const PRIME = 31 // spreads similar ids

const names = new Map<string, string>()

/** Remember what somebody is called, as they said themselves. */
export function meet(id: string, name: string): void {
  names.set(id, name)
}

export function nameOf(id: string): string {
  return names.get(id) ?? guestName(id) ?? id
}

/** The same for everybody who sees them. */
export function colourOf(id: string): string {
  let hash = 0
  for (const character of id) hash = (hash * PRIME + (character.codePointAt(0) ?? 0)) >>> 0
  return COLOURS[hash % COLOURS.length] ?? '#2f6fdf'
}

/** "OT" of "Guest Otter", "AL" of "Ada Lovelace". */
export function initialsOf(name: string): string {
  const words = name
    .replace(/^Guest\s+/, '')
    .trim()
    .split(/\s+/)
  const [first = '', ...others] = words
  const letters = others.length === 0 ? [...first].slice(0, 2) : [[...first][0], [...(others.at(-1) ?? '')][0]]
  return letters.join('').toUpperCase()
}
