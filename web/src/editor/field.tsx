/** One value of a block, to be edited as what it is: a text stays a text, a number a number. */

import { useId, useState } from 'react'
import type { Json } from 'workflow-sync'
import { Icon } from '../shared/icon'

interface FieldProps {
  readonly label: string
  readonly value: Json
  readonly isReadOnly: boolean
  readonly onChange: (value: Json) => void
  readonly onRemove?: () => void
  readonly isShort?: boolean
}

export function Field({ label, value, isReadOnly, onChange, onRemove, isShort = false }: FieldProps) {
  const id = useId()
  if (typeof value === 'boolean') {
    return (
      <div className="field field-switch">
        <Switch label={label} value={value} isReadOnly={isReadOnly} onChange={onChange} />
        <Remove label={label} onRemove={onRemove} />
      </div>
    )
  }
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        <Remove label={label} onRemove={onRemove} />
      </div>
      <Input id={id} value={value} isReadOnly={isReadOnly} isShort={isShort} onChange={onChange} />
    </div>
  )
}

function Remove({ label, onRemove }: { label: string; onRemove: (() => void) | undefined }) {
  if (!onRemove) return null
  return (
    <button type="button" className="icon-button field-remove" aria-label={`Remove ${label}`} onClick={onRemove}>
      <Icon name="close" size={14} />
    </button>
  )
}

interface SwitchProps {
  readonly label: string
  readonly value: boolean
  readonly isReadOnly: boolean
  readonly onChange: (value: boolean) => void
}

export function Switch({ label, value, isReadOnly, onChange }: SwitchProps) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        checked={value}
        disabled={isReadOnly}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  )
}

interface InputProps {
  readonly id: string
  readonly value: Json
  readonly isReadOnly: boolean
  readonly isShort: boolean
  readonly onChange: (value: Json) => void
}

function Input({ id, value, isReadOnly, isShort, onChange }: InputProps) {
  if (typeof value === 'number' || (typeof value === 'object' && value !== null)) {
    return <Draft id={id} value={value} isReadOnly={isReadOnly} onChange={onChange} />
  }
  const shared = {
    id,
    value: value === null ? '' : String(value),
    readOnly: isReadOnly,
    spellCheck: false,
    'data-document': true,
  }
  const change = (event: { target: { value: string } }) => onChange(event.target.value)
  return isShort ? (
    <input {...shared} autoComplete="off" onChange={change} />
  ) : (
    <textarea
      {...shared}
      rows={1}
      className={shared.value.includes('\n') ? 'code' : ''}
      placeholder={value === null ? 'Empty' : ''}
      onChange={change}
    />
  )
}

/** What may be wrong while it is being written: it counts as soon as it is right. */
function Draft({ id, value, isReadOnly, onChange }: Omit<InputProps, 'isShort'>) {
  const [draft, setDraft] = useState<string | null>(null)
  const written = JSON.stringify(value, null, 2)
  const isNumber = typeof value === 'number'
  const isWrong = draft !== null && parse(draft, value) === undefined
  const shared = {
    id,
    value: draft ?? written,
    readOnly: isReadOnly,
    spellCheck: false,
    'data-document': true,
    'aria-invalid': isWrong,
    'aria-describedby': isWrong ? `${id}-why` : undefined,
    onBlur: () => isWrong || setDraft(null),
    onChange: ({ target }: { target: { value: string } }) => {
      const next = parse(target.value, value)
      setDraft(target.value)
      if (next !== undefined) onChange(next)
    },
  }
  return (
    <>
      {isNumber ? (
        <input {...shared} inputMode="decimal" autoComplete="off" />
      ) : (
        <textarea {...shared} rows={2} className="code" />
      )}
      {isWrong && (
        <p className="problem" id={`${id}-why`}>
          {isNumber ? 'This should be a number.' : 'This is no JSON yet.'}
        </p>
      )}
    </>
  )
}

/** Undefined where it is not right, or no value of the same type. */
function parse(text: string, like: Json): Json | undefined {
  try {
    const value = JSON.parse(text) as Json
    return typeof value === typeof like && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
