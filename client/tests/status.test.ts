import { expect, test } from 'vitest'
import { statusOf, type Facts } from '../src/status.js'
import type { Status } from '../src/types.js'

const LOADING: Facts = {
  isLoaded: false,
  isUnsynced: false,
  isSending: false,
  hasSaved: false,
  hasConflicts: false,
  isReadOnly: false,
  obstacle: null,
  isRefused: false,
}
const IDLE = { ...LOADING, isLoaded: true }
const SAVED = { ...IDLE, hasSaved: true }
const DIRTY = { ...IDLE, isUnsynced: true }

const STATES: Readonly<Record<Status, Facts>> = {
  loading: LOADING,
  idle: IDLE,
  dirty: DIRTY,
  saving: { ...DIRTY, isSending: true },
  saved: SAVED,
  offline: { ...DIRTY, obstacle: 'offline' },
  'needs-auth': { ...DIRTY, obstacle: 'needs-auth' },
  conflict: { ...SAVED, hasConflicts: true },
  'read-only': { ...IDLE, isReadOnly: true },
  error: { ...DIRTY, isRefused: true },
}

const EVENTS: Readonly<Record<string, Partial<Facts>>> = {
  loaded: { isLoaded: true },
  edited: { isUnsynced: true },
  sent: { isUnsynced: true, isSending: true },
  answered: { isUnsynced: false, isSending: false, hasSaved: true, obstacle: null },
  unreached: { isSending: false, obstacle: 'offline' },
  'signed out': { isSending: false, obstacle: 'needs-auth' },
  reached: { obstacle: null },
  'met a conflict': { hasConflicts: true },
  resolved: { hasConflicts: false },
  refused: { isUnsynced: true, isRefused: true },
  'let go': { isUnsynced: false, isRefused: false },
  'made a viewer': { isReadOnly: true },
}

const TABLE = `
                loading     idle        dirty       saving      saved       offline     needs-auth  conflict    read-only   error
loaded          idle        idle        dirty       saving      saved       offline     needs-auth  conflict    read-only   error
edited          loading     dirty       dirty       saving      dirty       offline     needs-auth  dirty       dirty       error
sent            loading     saving      saving      saving      saving      offline     needs-auth  saving      saving      error
answered        loading     saved       saved       saved       saved       saved       saved       conflict    read-only   error
unreached       offline     offline     offline     offline     offline     offline     offline     offline     offline     error
signed out      needs-auth  needs-auth  needs-auth  needs-auth  needs-auth  needs-auth  needs-auth  needs-auth  needs-auth  error
reached         loading     idle        dirty       saving      saved       dirty       dirty       conflict    read-only   error
met a conflict  loading     conflict    dirty       saving      conflict    offline     needs-auth  conflict    conflict    error
resolved        loading     idle        dirty       saving      saved       offline     needs-auth  saved       read-only   error
refused         error       error       error       error       error       error       error       error       error       error
let go          loading     idle        idle        idle        saved       offline     needs-auth  conflict    read-only   idle
made a viewer   loading     read-only   dirty       saving      read-only   offline     needs-auth  conflict    read-only   error
`

const [head = '', ...lines] = TABLE.trimEnd().split('\n').slice(1)
const states = head.trim().split(/\s+/)
const cases = lines.flatMap((line) => {
  const event = line.slice(0, 16).trim()
  return line
    .slice(16)
    .trim()
    .split(/\s+/)
    .map((status, place) => [states[place] ?? '', event, status] as const)
})

test('the table has every state and every event', () => {
  expect([...states].sort()).toEqual(Object.keys(STATES).sort())
  expect(cases).toHaveLength(Object.keys(STATES).length * Object.keys(EVENTS).length)
})

test.each(Object.entries(STATES))('%s is called so', (status, facts) => {
  expect(statusOf(facts)).toBe(status)
})

test.each(cases)('%s, %s: %s', (state, event, status) => {
  const facts = STATES[state as Status]
  expect(EVENTS).toHaveProperty(event)
  expect(statusOf({ ...facts, ...EVENTS[event] })).toBe(status)
})

test('nothing is called saved while anything is not on the server', () => {
  const flags = [true, false]
  for (const isSending of flags)
    for (const hasConflicts of flags)
      for (const isReadOnly of flags) {
        const facts = { ...SAVED, isUnsynced: true, isSending, hasConflicts, isReadOnly }
        expect(['dirty', 'saving']).toContain(statusOf(facts))
      }
})
