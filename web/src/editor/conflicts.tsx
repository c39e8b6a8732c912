/** Where two people gave one place different values: both, who and when, and which of them shall stand. */

import { useState } from 'react'
import type { Conflict, Document, Json, Side } from 'workflow-sync'
import { graphOf } from 'workflow-sync/graph'
import { wordsFor } from '../shared/ask'
import { Avatar } from '../shared/avatar'
import { nameOf } from '../shared/people'
import { ago, exactly } from '../shared/time'
import { useToast } from '../shared/toast'
import { labelFor } from './changes'
import { shown } from './diff'
import { Drawer } from './drawer'
import { titleOf } from './fields'
import { pathOf } from './graph'
import { useEditor, useSnapshot } from './use-opened'

export function Conflicts({ onClose }: { onClose: () => void }) {
  const { conflicts } = useSnapshot()
  return (
    <Drawer title="Conflicts" onClose={onClose} takesFocus>
      {conflicts.length === 0 ? (
        <p className="quiet">There are none. Everybody's edits fit together.</p>
      ) : (
        <p className="quiet">Two people changed the same thing at once. Nothing is lost: choose what shall stand.</p>
      )}
      <ul className="conflicts">
        {conflicts.map((conflict, index) => (
          <Item key={conflict.id ?? index} conflict={conflict} />
        ))}
      </ul>
    </Drawer>
  )
}

interface Choice {
  readonly side: Side
  readonly by: string | null
  readonly value: Json
  readonly isAbsent: boolean
}

function Item({ conflict }: { conflict: Conflict }) {
  const { document, role } = useSnapshot()
  const { account } = useEditor()
  const [isBusy, resolve] = useResolve(conflict)
  const canResolve = conflict.id !== null && role !== 'VIEWER'
  const { theirsAt, winner } = conflict
  return (
    <li className="conflict">
      <h3>{placeOf(conflict, document)}</h3>
      {choicesOf(conflict).map((choice) => (
        <section key={choice.side} className="choice" data-stands={choice.side === winner}>
          <p className="choice-who">
            {choice.by !== null && <Avatar id={choice.by} size="small" />}
            {whose(choice, account.id, conflict)}
            {choice.side === 'THEIRS' && <time title={exactly(theirsAt)}>{ago(theirsAt)}</time>}
            {choice.side === winner && <span className="badge">In the workflow now</span>}
          </p>
          <pre className="choice-value">{choice.isAbsent ? '(nothing)' : shown(choice.value)}</pre>
          {canResolve && (
            <button type="button" className="button small" disabled={isBusy} onClick={() => resolve(choice.side)}>
              {actionFor(choice, account.id, conflict)}
            </button>
          )}
        </section>
      ))}
    </li>
  )
}

function choicesOf(conflict: Conflict): readonly Choice[] {
  const { yours, yoursAbsent, yoursBy, theirs, theirsAbsent, theirsBy, base, baseAbsent } = conflict
  return [
    { side: 'YOURS', by: yoursBy, value: yours, isAbsent: yoursAbsent },
    { side: 'THEIRS', by: theirsBy, value: theirs, isAbsent: theirsAbsent },
    { side: 'BASE', by: null, value: base, isAbsent: baseAbsent },
  ]
}

function whose({ by, side }: Choice, me: string, { yoursBy, theirsBy }: Conflict): string {
  if (by === null) return 'Before both'
  const name = by === me ? 'You' : nameOf(by)
  return yoursBy === theirsBy ? `${name}, in ${side === 'YOURS' ? 'the later' : 'the earlier'} edit` : name
}

function actionFor({ by, side }: Choice, me: string, { yoursBy, theirsBy }: Conflict): string {
  if (by === null) return 'Take what was before'
  if (yoursBy === theirsBy) return side === 'YOURS' ? 'Take the later' : 'Take the earlier'
  return by === me ? 'Take mine' : `Take ${nameOf(by)}'s`
}

/** The place in the words of the canvas. */
function placeOf({ path }: Conflict, document: Document): string {
  if (path.length === 0) return 'A whole save that did not fit'
  const graph = graphOf(document)
  const depth = graph ? pathOf(graph).length + 1 : 1
  const block = graph?.elements.get(path[depth] ?? '')
  if (!graph || !block || path[depth - 1] !== graph.kind) return labelFor(path)
  const inner = path.slice(depth + 1)
  return inner.length === 0 ? titleOf(block) : `${titleOf(block)}: ${labelFor(inner)}`
}

function useResolve({ id }: Conflict): [boolean, (take: Side) => void] {
  const { sync } = useEditor()
  const [isBusy, setBusy] = useState(false)
  const toast = useToast()
  const resolve = async (take: Side) => {
    if (id === null) return
    setBusy(true)
    try {
      await sync.resolve(id, take)
      toast({ text: 'The conflict is settled' })
    } catch (error) {
      toast({ text: wordsFor(error), isBad: true })
    } finally {
      setBusy(false)
    }
  }
  return [isBusy, (take) => void resolve(take)]
}
