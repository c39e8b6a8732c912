/** Who else is here. */

import { initialsOf } from '../shared/people'
import { type Person, usePeople } from './company'

const MOST = 4 // faces; then a number

export function People() {
  const people = [...new Map(usePeople().map((person) => [person.id, person])).values()]
  if (people.length === 0) return null
  const names = people.map(({ name }) => name).join(', ')
  return (
    <ul className="people" aria-label={`Also here: ${names}`}>
      {people.slice(0, MOST).map((person) => (
        <Face key={person.id} person={person} />
      ))}
      {people.length > MOST && <li className="avatar medium rest">+{people.length - MOST}</li>}
    </ul>
  )
}

function Face({ person: { name, colour } }: { person: Person }) {
  return (
    <li className="avatar medium" style={{ backgroundColor: colour }} title={name} aria-label={name}>
      {initialsOf(name)}
    </li>
  )
}
