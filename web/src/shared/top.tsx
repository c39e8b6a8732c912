/** The bar above the list: whose page this is, and where else to go. */

import { useState } from 'react'
import icon from '../icon.svg'
import type { Account } from './account'
import { Avatar } from './avatar'
import { Prompt } from './dialog'
import { type Item, Menu } from './menu'
import { DEVELOPERS, LIST } from './route'

interface TopProps {
  readonly account: Account
  readonly onRename: (name: string) => void
}

export function Top({ account, onRename }: TopProps) {
  return (
    <header className="top">
      <a className="brand" href={LIST}>
        <img src={icon} alt="" width="28" height="28" />
        Workflow Sync
      </a>
      <nav className="top-links" aria-label="For developers">
        <a href={DEVELOPERS}>Developers</a>
        <a href="/graphql">GraphiQL</a>
      </nav>
      <Me account={account} onRename={onRename} />
    </header>
  )
}

export function Me({ account, onRename }: TopProps) {
  const [isNaming, setNaming] = useState(false)
  const rename: Item = { label: 'Change your name', icon: 'pencil', run: () => setNaming(true) }
  const items: readonly Item[] = [
    ...(account.isGuest ? [rename] : []),
    { label: 'For developers', icon: 'code', run: () => location.assign(DEVELOPERS) },
    { label: 'GraphiQL', icon: 'api', run: () => location.assign('/graphql') },
  ]
  return (
    <>
      <Menu label={`You are ${account.name}`} items={items} className="me" isNamed>
        <Avatar id={account.id} name={account.name} />
        <span className="me-name">{account.name}</span>
      </Menu>
      {isNaming && (
        <Prompt
          title="What others call you"
          label="Your name"
          value={account.name}
          action="Save"
          onDone={onRename}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  )
}
