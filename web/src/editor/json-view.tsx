/** A document of no known shape, as text to be edited. */

import { useState } from 'react'
import type { Document } from 'workflow-sync'
import { isObject, type Maybe } from '../shared/json'
import { useEditor, useSnapshot } from './use-opened'

export function JsonView() {
  const { sync } = useEditor()
  const { document, role } = useSnapshot()
  const [draft, setDraft] = useState<string | null>(null)
  const isWrong = draft !== null && parse(draft) === null
  const write = (text: string) => {
    const next = parse(text)
    setDraft(text)
    if (next) sync.update(next, { step: 'json', allowEmpty: true })
  }
  return (
    <section className="json-view" aria-label="Document">
      <p className="quiet" id="json-why">
        This document has no blocks or nodes to draw, so here it is as JSON.
      </p>
      <textarea
        aria-label="Document as JSON"
        aria-describedby="json-why"
        aria-invalid={isWrong}
        spellCheck={false}
        data-document
        value={draft ?? JSON.stringify(document, null, 2)}
        readOnly={role === 'VIEWER'}
        onChange={(event) => write(event.target.value)}
        onBlur={() => isWrong || setDraft(null)}
      />
      {isWrong && <p className="problem">This is no JSON object yet. It is saved as soon as it is one.</p>}
    </section>
  )
}

function parse(text: string): Document | null {
  try {
    const value = JSON.parse(text) as Maybe
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
