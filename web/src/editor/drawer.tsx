/** A panel beside the canvas; on a phone, a sheet over it. */

import { type ReactNode, useEffect, useRef } from 'react'
import { Icon } from '../shared/icon'

interface DrawerProps {
  readonly title: string
  readonly onClose: () => void
  /** It takes the focus, as it was asked for. */
  readonly takesFocus?: boolean
  readonly actions?: ReactNode
  readonly children: ReactNode
}

export function Drawer({ title, onClose, takesFocus = false, actions, children }: DrawerProps) {
  const drawer = useRef<HTMLElement>(null)
  useEffect(() => {
    if (takesFocus) drawer.current?.focus()
  }, [takesFocus])
  return (
    <aside
      ref={drawer}
      className="drawer"
      aria-label={title}
      tabIndex={-1}
      onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && onClose()}
    >
      <header className="drawer-head">
        <h2>{title}</h2>
        {actions}
        <button type="button" className="icon-button" aria-label={`Close ${title.toLowerCase()}`} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="drawer-body">{children}</div>
    </aside>
  )
}
