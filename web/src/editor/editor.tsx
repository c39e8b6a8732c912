/** The page of one workflow. */

import './editor.css'

import { ReactFlowProvider } from '@xyflow/react'
import { memo, useEffect, useState } from 'react'
import type { Account } from '../shared/account'
import { Loading, Notice } from '../shared/notice'
import { settle } from '../shared/route'
import { Missing } from './missing'
import { OpenedProvider, useOpened, useSnapshot } from './use-opened'
import { Workspace } from './workspace'

interface EditorProps {
  readonly id: string
  readonly isNew: boolean
  readonly account: Account
  readonly onRename: (name: string) => void
}

export function Editor({ id, isNew, account, onRename }: EditorProps) {
  const [attempt, setAttempt] = useState(0)
  const opened = useOpened(id, isNew, account, attempt)
  if (opened === null) return <Loading label="Opening the workflow" />
  return (
    <OpenedProvider value={opened}>
      <Gate isNew={isNew} onRename={onRename} onAgain={() => setAttempt(attempt + 1)} />
    </OpenedProvider>
  )
}

const GONE = ['NOT_FOUND', 'FORBIDDEN', 'ACCESS_REVOKED']

/** Lets nobody edit before there is something to edit. */
function Gate({ isNew, onRename, onAgain }: Pick<EditorProps, 'isNew' | 'onRename'> & { onAgain: () => void }) {
  const { status, version, workflowId, role, error, hasUnsynced } = useSnapshot()
  const isBorn = version > 0
  useEffect(() => {
    if (isNew && isBorn) settle(workflowId)
  }, [isNew, isBorn, workflowId])
  if (error && GONE.includes(error.code) && !hasUnsynced) return <Missing code={error.code} onShared={onAgain} />
  if (status === 'loading') return <Loading label="Opening the workflow" />
  if (error && !isBorn && role === null && !hasUnsynced) return <Unreached isSignedOut={status === 'needs-auth'} />
  return <Provided onRename={onRename} />
}

const Provided = memo(function Provided({ onRename }: Pick<EditorProps, 'onRename'>) {
  return (
    <ReactFlowProvider>
      <Workspace onRename={onRename} />
    </ReactFlowProvider>
  )
})

function Unreached({ isSignedOut }: { isSignedOut: boolean }) {
  return (
    <Notice icon="alert" title={isSignedOut ? 'You are not signed in' : 'The server cannot be reached'} isPage>
      <p>
        {isSignedOut ? 'Sign in, and the workflow opens by itself.' : 'It is tried again by itself, again and again.'}
      </p>
    </Notice>
  )
}
