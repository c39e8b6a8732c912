/** GraphiQL on this server, with operations to start from. */

import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './graphiql.css'

import { GraphiQL } from 'graphiql'
import { createRoot } from 'react-dom/client'
import { start } from './examples'
import { createFetcher } from './fetcher'
import { type Session, signIn } from './session'

// What the editor of variables may hold for a scalar, as JSON Schema; without these it underlines every document.
const SCALARS = { JSON: {}, DateTime: { type: 'string', format: 'date-time' } } as const

function Who({ session }: { session: Session }) {
  const { viewer } = session
  return (
    <span className="who" data-signed-in={viewer !== null}>
      {viewer === null ? 'Not signed in' : (viewer.name ?? viewer.id)}
    </span>
  )
}

function App({ session }: { session: Session }) {
  return (
    <GraphiQL
      fetcher={createFetcher(session.headers)}
      customScalarSchemas={SCALARS}
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false} // they hold tokens
      {...start()}
    >
      <GraphiQL.Logo>
        <Who session={session} />
        <a className="home" href="/">
          Workflow Sync
        </a>
      </GraphiQL.Logo>
      {session.viewer === null && (
        <GraphiQL.Footer>
          <p className="notice" role="status">
            You are not signed in, so operations answer UNAUTHENTICATED. Sign in to the application whose session cookie
            this server knows, or give an <code>Authorization</code> header below the editor.
          </p>
        </GraphiQL.Footer>
      )}
    </GraphiQL>
  )
}

const root = document.getElementById('graphiql')
if (root === null) throw new Error('graphql.html has no place for GraphiQL')
createRoot(root).render(<App session={await signIn()} />)
