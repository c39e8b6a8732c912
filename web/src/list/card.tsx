/** One workflow in the list. */

import type { Account } from '../shared/account'
import { Icon } from '../shared/icon'
import { type Item, Menu } from '../shared/menu'
import { nameOf } from '../shared/people'
import { workflowAt } from '../shared/route'
import { ago, exactly } from '../shared/time'
import { Glyph } from './glyph'
import type { Listed } from './workflows'

const ROLES = { OWNER: 'Yours', EDITOR: 'Shared with you', VIEWER: 'Shared, view only' } as const

interface CardProps {
  readonly workflow: Listed
  readonly account: Account
  readonly items: readonly Item[]
}

export function Card({ workflow, account, items }: CardProps) {
  const { id, name, role, savedAt, savedBy, deletedAt } = workflow
  const at = deletedAt ?? savedAt
  const who = savedBy === account.id ? 'you' : nameOf(savedBy)
  return (
    <li className="card">
      <Glyph id={id} />
      <div className="card-text">
        <h2>{deletedAt === null ? <a href={workflowAt(id)}>{name}</a> : name}</h2>
        <p>
          <time dateTime={at} title={exactly(at)}>
            {deletedAt === null ? `Saved ${ago(at)} by ${who}` : `Deleted ${ago(at)}`}
          </time>
        </p>
        {role !== 'OWNER' && <p className="badge">{ROLES[role]}</p>}
      </div>
      <Menu label={`Actions for ${name}`} items={items}>
        <Icon name="dots" />
      </Menu>
    </li>
  )
}
