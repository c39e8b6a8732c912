/** What the page says of its saves, and why. Never "Saved" before the server has it. */

import type { Snapshot } from 'workflow-sync'

export type Tone = 'good' | 'busy' | 'kept' | 'bad' | 'quiet'

export interface Saying {
  readonly text: string
  readonly tone: Tone
  readonly why: string
}

const OPENING: Saying = { text: 'Opening...', tone: 'busy', why: 'The workflow is on its way.' }
const UNBORN: Saying = { text: 'New', tone: 'quiet', why: 'It is created as soon as you change something.' }
const VIEWING: Saying = {
  text: 'View only',
  tone: 'quiet',
  why: 'You may look at this workflow. Its owner may let you edit it.',
}
const SAVING: Saying = { text: 'Saving...', tone: 'busy', why: 'Your last edits are on their way to the server.' }
const REFUSED: Saying = {
  text: 'Not saved',
  tone: 'bad',
  why: 'The server did not take some of your edits. They are kept in this browser until you try again or let them go.',
}
const NOWHERE: Saying = {
  text: 'Not saved',
  tone: 'bad',
  why: 'The server cannot be reached, and this browser has no room to keep your edits. Leave this page open, or download a copy.',
}

export function sayingOf(snapshot: Snapshot): Saying {
  if (snapshot.status === 'loading') return OPENING
  if (!snapshot.hasUnsynced) return settled(snapshot)
  if (snapshot.problems.length > 0) return REFUSED
  if (snapshot.status === 'dirty' || snapshot.status === 'saving') return SAVING
  if (snapshot.kept === 'nowhere') return NOWHERE
  return snapshot.status === 'error' ? stuck(snapshot) : kept(snapshot)
}

function settled({ version, role, status, savedAt }: Snapshot): Saying {
  if (status === 'read-only' || role === 'VIEWER') return VIEWING
  if (version === 0) return UNBORN
  const when = savedAt === null ? '' : ` since ${new Date(savedAt).toLocaleTimeString()}`
  return { text: 'Saved', tone: 'good', why: `Everything is on the server${when}, as version ${version}.` }
}

function kept({ status }: Snapshot): Saying {
  const why =
    status === 'needs-auth'
      ? 'You are signed out. Your edits are kept in this browser and go out once you are signed in again.'
      : 'The server cannot be reached. Your edits are kept in this browser and go out as soon as it is back.'
  return { text: 'Saved on this device', tone: 'kept', why }
}

function stuck({ error }: Snapshot): Saying {
  return { text: 'Not saved', tone: 'bad', why: error?.message ?? 'The server does not take your edits any more.' }
}
