/** Who else is here, and what they have selected. */

import { useEffect, useSyncExternalStore } from 'react'
import type { Presence, Room } from 'workflow-sync'
import { getIn, isList, textIn } from '../shared/json'
import { guestName } from '../shared/guest'
import { colourOf, meet, nameOf } from '../shared/people'
import { useEditor } from './use-opened'

const MOST_SELECTED = 60 // ids; all of it must stay under 4 KiB

export interface Person {
  readonly clientId: string
  readonly id: string
  readonly name: string
  readonly colour: string
}

type Company = ReadonlyMap<string, readonly Person[]>
const NOBODY: readonly Person[] = []
const companies = new WeakMap<readonly Presence[], Company>()

/** Everybody else, once for each tab. */
export function usePeople(): readonly Person[] {
  return useOthers().map(personOf)
}

function useOthers(): readonly Presence[] {
  const { room } = useEditor()
  return useSyncExternalStore(room.subscribe, room.getSnapshot)
}

/** Those who have a block selected; the same list until that changes for somebody. */
export function useSelecting(room: Room | null, blockId: string): readonly Person[] {
  return useSyncExternalStore(room?.subscribe ?? never, () => (room ? selecting(room, blockId) : NOBODY))
}

function never(): () => void {
  return () => {}
}

function selecting(room: Room, blockId: string): readonly Person[] {
  const others = room.getSnapshot()
  const known = companies.get(others) ?? companyOf(others)
  companies.set(others, known)
  return known.get(blockId) ?? NOBODY
}

function companyOf(others: readonly Presence[]): Company {
  const found = new Map<string, Person[]>()
  for (const other of others) {
    const selected = getIn(other.state ?? undefined, ['selected'])
    const person = personOf(other)
    for (const id of isList(selected) ? selected : []) {
      if (typeof id === 'string') found.set(id, [...(found.get(id) ?? []), person])
    }
  }
  return found
}

/** A guest's name is what they say it is; everybody else's is what the server knows. */
function personOf({ clientId, userId, name, state }: Presence): Person {
  const said = textIn(state ?? undefined, ['name'])
  if (guestName(userId) !== null && said) meet(userId, said)
  else if (name) meet(userId, name)
  return { clientId, id: userId, name: nameOf(userId), colour: colourOf(userId) }
}

/** Show the others what is selected here. */
export function useTell(selected: readonly string[]): void {
  const { room, account } = useEditor()
  const ids = selected.slice(0, MOST_SELECTED).join(' ')
  useEffect(() => room.set({ name: account.name, selected: ids ? ids.split(' ') : [] }), [room, account.name, ids])
}
