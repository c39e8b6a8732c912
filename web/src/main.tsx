/** The live editor: signs in, then shows the list or a workflow. */

import './shared/base.css'

import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Editor } from './editor/editor'
import { List } from './list/list'
import { type Account, openAccount, renamed } from './shared/account'
import { Failure, wordsFor } from './shared/ask'
import { Loading, Notice } from './shared/notice'
import { meet } from './shared/people'
import { useRoute } from './shared/route'
import { Toasts } from './shared/toast'

function App() {
  const [account, setAccount] = useState<Account | null>(null)
  const [error, setError] = useState<unknown>(null)
  const signIn = () => {
    setError(null)
    openAccount().then(setAccount, setError)
  }
  useEffect(signIn, [])
  if (error !== null) return <SignedOut error={error} onRetry={signIn} />
  if (account === null) return <Loading label="Signing in" />
  meet(account.id, account.name)
  return (
    <Toasts>
      <Page account={account} onRename={(name) => setAccount(renamed(account, name))} />
    </Toasts>
  )
}

function Page({ account, onRename }: { account: Account; onRename: (name: string) => void }) {
  const route = useRoute()
  if (route.page === 'workflow') {
    return <Editor key={route.id} id={route.id} isNew={route.isNew} account={account} onRename={onRename} />
  }
  return <List key={route.page} account={account} isTrash={route.page === 'trash'} onRename={onRename} />
}

function SignedOut({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const isSignedOut = error instanceof Failure && error.code === 'UNAUTHENTICATED'
  return (
    <Notice icon="alert" title={isSignedOut ? 'You are not signed in' : 'The server cannot be reached'} isPage>
      <p>{isSignedOut ? 'Sign in to the application that this server belongs to, then try again.' : wordsFor(error)}</p>
      <button type="button" className="button primary" onClick={onRetry}>
        Try again
      </button>
    </Notice>
  )
}

const root = document.getElementById('app')
if (root === null) throw new Error('index.html has no place for the editor')
createRoot(root).render(<App />)
