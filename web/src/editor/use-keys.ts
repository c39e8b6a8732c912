/** What keys do, wherever the focus is in the editor. */

import { useEffect, useRef } from 'react'

export interface Keys {
  readonly undo: () => void
  readonly redo: () => void
  readonly save: () => void
  readonly duplicate: () => void
  readonly add: () => void
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const action = actionFor(event)
      if (action === null || event.defaultPrevented || document.querySelector('dialog[open]')) return
      event.preventDefault()
      current.current[action]()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Fields that are not part of the document undo for themselves. */
function actionFor(event: KeyboardEvent): keyof Keys | null {
  const { ctrlKey, metaKey, altKey, shiftKey, target } = event
  const key = event.key.toLowerCase()
  const isWriting = target instanceof Element && target.matches('input, textarea, select')
  const isOther = isWriting && !target.hasAttribute('data-document')
  if (altKey) return null
  if (!(ctrlKey || metaKey)) return key === 'a' && !isWriting && !shiftKey ? 'add' : null
  if (key === 's') return 'save'
  if (key === 'z' && !isOther) return shiftKey ? 'redo' : 'undo'
  if (key === 'y' && !isOther) return 'redo'
  return key === 'd' && !isWriting ? 'duplicate' : null
}
