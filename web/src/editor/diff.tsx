/** What a version changed, to be read. */

import { inline, type Maybe } from '../shared/json'
import type { Part, Row } from './changes'

const WORDS = { added: 'Added', removed: 'Removed', changed: 'Changed' } as const
const MOST_CHARACTERS = 1_200 // of a value; the whole is in the preview

export function Diff({ parts }: { parts: readonly Part[] }) {
  if (parts.length === 0) return <p className="quiet">Nothing in the document changed.</p>
  return (
    <ul className="diff">
      {parts.map(({ key, title, what, rows }) => (
        <li key={key} className="diff-part" data-what={what}>
          <p className="diff-title">
            <span className="diff-what">{WORDS[what]}</span> {title}
          </p>
          {rows.length > 0 && (
            <dl>
              {rows.map((row, index) => (
                <Changed key={`${row.label} ${index}`} row={row} />
              ))}
            </dl>
          )}
        </li>
      ))}
    </ul>
  )
}

function Changed({ row: { label, before, after } }: { row: Row }) {
  return (
    <div className="diff-row">
      <dt>{label}</dt>
      {before !== undefined && (
        <dd>
          <del aria-label="before">{shown(before)}</del>
        </dd>
      )}
      {after !== undefined && (
        <dd>
          <ins aria-label="after">{shown(after)}</ins>
        </dd>
      )}
    </div>
  )
}

export function shown(value: Maybe): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value, null, 1) : inline(value)
  if (text === '') return '(empty)'
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}
