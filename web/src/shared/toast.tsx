/** Short notes of what was done, with a way back where there is one. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react'
import { Icon } from './icon'

const MOST = 2 // at once
const SHOWN_MS = 6_000 // long enough to read a sentence and to reach for its button

export interface Toast {
  readonly text: string
  readonly isBad?: boolean
  readonly action?: { readonly label: string; readonly run: () => void }
}

type Show = (toast: Toast) => void

const ShowToast = createContext<Show>(() => {})

export function useToast(): Show {
  return useContext(ShowToast)
}

export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<readonly (Toast & { readonly key: number })[]>([])
  const last = useRef(0)
  const show = useCallback((toast: Toast) => {
    last.current += 1
    const key = last.current
    setShown((toasts) => [...toasts.slice(1 - MOST), { ...toast, key }])
  }, [])
  const hide = useCallback((key: number) => setShown((toasts) => toasts.filter((toast) => toast.key !== key)), [])
  return (
    <ShowToast value={show}>
      {children}
      <div className="toasts" role="status" aria-label="Notes">
        {shown.map((toast) => (
          <Shown key={toast.key} toast={toast} onHide={() => hide(toast.key)} />
        ))}
      </div>
    </ShowToast>
  )
}

function Shown({ toast, onHide }: { toast: Toast; onHide: () => void }) {
  const [isHeld, setHeld] = useState(false)
  const hide = useRef(onHide)
  hide.current = onHide
  useEffect(() => {
    if (isHeld) return
    const timer = setTimeout(() => hide.current(), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [isHeld])
  const hold = () => setHeld(true)
  const release = () => setHeld(false)
  return (
    <div
      className="toast"
      data-bad={toast.isBad ?? false}
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocus={hold}
      onBlur={release}
    >
      <span>{toast.text}</span>
      {toast.action && (
        <button type="button" className="toast-action" onClick={() => (toast.action?.run(), onHide())}>
          {toast.action.label}
        </button>
      )}
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={onHide}>
        <Icon name="close" size={14} />
      </button>
    </div>
  )
}
