/** Something that wants an answer before anything else goes on. */

import { type ReactNode, type SubmitEvent, useEffect, useId, useRef } from 'react'
import { Icon } from './icon'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => (event.preventDefault(), onClose())}
      onPointerDown={(event) => event.target === dialog.current && onClose()}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly text: string
  readonly action: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button bad" autoFocus onClick={() => (onClose(), onConfirm())}>
          {action}
        </button>
      </div>
    </Dialog>
  )
}

interface PromptProps {
  readonly title: string
  readonly label: string
  readonly value: string
  readonly action: string
  readonly onDone: (value: string) => void
  readonly onClose: () => void
}

export function Prompt({ title, label, value, action, onDone, onClose }: PromptProps) {
  const finish = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const text = String(new FormData(event.currentTarget).get('value') ?? '').trim()
    onClose()
    if (text && text !== value) onDone(text)
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={finish} className="form">
        <label>
          {label}
          <input
            name="value"
            defaultValue={value}
            autoFocus
            required
            maxLength={200}
            autoComplete="off"
            onFocus={(event) => event.target.select()}
          />
        </label>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
