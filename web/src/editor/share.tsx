/** Who may see or edit the workflow. */

import { type SubmitEvent, useCallback, useEffect, useMemo, useState } from 'react'
import type { Role } from 'workflow-sync'
import { type Membership, workflowsOf } from '../list/workflows'
import { wordsFor } from '../shared/ask'
import { Avatar } from '../shared/avatar'
import { Copied } from '../shared/copy'
import { Dialog } from '../shared/dialog'
import { Icon } from '../shared/icon'
import { Loading } from '../shared/notice'
import { nameOf } from '../shared/people'
import { useToast } from '../shared/toast'
import { useEditor, useSnapshot } from './use-opened'

const ROLES = { OWNER: 'Owner', EDITOR: 'Can edit', VIEWER: 'Can view' } as const

export function Share({ onClose }: { onClose: () => void }) {
  const { account } = useEditor()
  const { role, version, workflowId, name } = useSnapshot()
  const { membership, error, perform } = useMembers()
  const isOwner = role === 'OWNER'
  return (
    <Dialog title={`Share ${name ?? 'this workflow'}`} onClose={onClose}>
      {version === 0 ? (
        <p className="quiet">Change something first: the workflow is created by its first edit.</p>
      ) : (
        <>
          {isOwner && <Add onAdd={(userId, next) => perform(({ share }) => share(workflowId, userId, next))} />}
          {error !== null && <p className="problem">{wordsFor(error)}</p>}
          {membership === null && error === null && <Loading label="Reading the members" />}
          {membership && (
            <ul className="members" aria-label="Members">
              <Member id={membership.ownerId} role="OWNER" me={account.id} />
              {membership.members.map(({ userId, role: given }) => (
                <Member
                  key={userId}
                  id={userId}
                  role={given}
                  me={account.id}
                  {...(isOwner && {
                    onRole: (next: Role) => perform(({ share }) => share(workflowId, userId, next)),
                    onRemove: () => perform(({ unshare }) => unshare(workflowId, userId)),
                  })}
                />
              ))}
            </ul>
          )}
          {!isOwner && <p className="quiet">Only the owner can change who is here.</p>}
        </>
      )}
      <p className="your-id">
        Your own id, for others who want to share with you: <Copied text={account.id} label="your id" />
      </p>
      <p className="your-id">
        The address, for those who are members: <Copied text={location.href} label="the address" />
      </p>
    </Dialog>
  )
}

function Add({ onAdd }: { onAdd: (userId: string, role: Role) => void }) {
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    onAdd(String(form.get('userId')).trim(), form.get('role') as Role)
    event.currentTarget.reset()
  }
  return (
    <form className="add-member" onSubmit={submit}>
      <label>
        Somebody's id
        <input
          name="userId"
          required
          pattern=".*\S.*"
          autoComplete="off"
          spellCheck={false}
          placeholder="guest-otter-7f3a21"
        />
      </label>
      <RoleChoice name="role" />
      <button type="submit" className="button primary">
        <Icon name="add" /> Add
      </button>
    </form>
  )
}

interface RoleChoiceProps {
  readonly name?: string
  readonly value?: Role
  readonly onChange?: (role: Role) => void
}

function RoleChoice({ name, value, onChange }: RoleChoiceProps) {
  return (
    <select aria-label="Role" name={name} value={value} onChange={(event) => onChange?.(event.target.value as Role)}>
      <option value="EDITOR">{ROLES.EDITOR}</option>
      <option value="VIEWER">{ROLES.VIEWER}</option>
    </select>
  )
}

interface MemberProps {
  readonly id: string
  readonly role: Role
  readonly me: string
  readonly onRole?: (role: Role) => void
  readonly onRemove?: () => void
}

function Member({ id, role, me, onRole, onRemove }: MemberProps) {
  const name = nameOf(id)
  return (
    <li className="member">
      <Avatar id={id} />
      <span className="member-name">
        {name} {id === me && <span className="quiet">(you)</span>}
        {name !== id && <small>{id}</small>}
      </span>
      {onRole ? <RoleChoice value={role} onChange={onRole} /> : <span className="quiet">{ROLES[role]}</span>}
      {onRemove && (
        <button type="button" className="icon-button" aria-label={`Remove ${name}`} onClick={onRemove}>
          <Icon name="close" />
        </button>
      )}
    </li>
  )
}

type Work = (workflows: ReturnType<typeof workflowsOf>) => Promise<unknown>

function useMembers() {
  const { account } = useEditor()
  const { workflowId, version } = useSnapshot()
  const workflows = useMemo(() => workflowsOf(account.connection), [account.connection])
  const [membership, setMembership] = useState<Membership | null>(null)
  const [error, setError] = useState<unknown>(null)
  const toast = useToast()
  const isThere = version > 0
  const load = useCallback(() => {
    if (isThere) workflows.members(workflowId).then(setMembership, setError)
  }, [workflows, workflowId, isThere])
  useEffect(load, [load])
  const perform = (work: Work) =>
    void work(workflows)
      .catch((failure: unknown) => toast({ text: wordsFor(failure), isBad: true }))
      .then(load)
  return { membership, error, perform }
}
