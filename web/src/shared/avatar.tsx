/** Somebody, as a coloured disc with initials. */

import { colourOf, initialsOf, nameOf } from './people'

interface AvatarProps {
  readonly id: string
  readonly name?: string
  readonly size?: 'small' | 'medium'
}

export function Avatar({ id, name = nameOf(id), size = 'medium' }: AvatarProps) {
  return (
    <span className={`avatar ${size}`} style={{ backgroundColor: colourOf(id) }} title={name} aria-hidden="true">
      {initialsOf(name)}
    </span>
  )
}
