/** A button that opens a list of things to do. */

import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Icon, type IconName } from './icon'

export interface Item {
  readonly label: string
  readonly icon: IconName
  readonly detail?: string
  readonly isBad?: boolean
  readonly run: () => void
}

interface MenuProps {
  readonly label: string
  readonly items: readonly Item[]
  readonly className?: string
  /** The button says in words what it is. */
  readonly isNamed?: boolean
  readonly children: ReactNode
}

export function Menu({ label, items, className = 'icon-button', isNamed = false, children }: MenuProps) {
  const [isOpen, setOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <div
      className="menu-place"
      ref={place}
      onBlur={(event) => !inside(place.current, event.relatedTarget) && setOpen(false)}
    >
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={isNamed ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {children}
      </button>
      {isOpen && <MenuList label={label} items={items} onClose={close} />}
    </div>
  )
}

function inside(place: HTMLElement | null, target: EventTarget | null): boolean {
  return target instanceof Node && (place?.contains(target) ?? false)
}

interface MenuListProps {
  readonly label: string
  readonly items: readonly Item[]
  readonly onClose: () => void
}

export function MenuList({ label, items, onClose }: MenuListProps) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => list.current?.querySelector('button')?.focus(), [])
  return (
    <div
      ref={list}
      className="menu"
      role="menu"
      aria-label={label}
      onKeyDown={(event) => move(event, list.current, onClose)}
    >
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className="menu-item"
          data-bad={item.isBad ?? false}
          onClick={() => (onClose(), item.run())}
        >
          <Icon name={item.icon} />
          <span>{item.label}</span>
          {item.detail && <small>{item.detail}</small>}
        </button>
      ))}
    </div>
  )
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 }

function move(event: KeyboardEvent, list: HTMLElement | null, onClose: () => void): void {
  const items = [...(list?.querySelectorAll('button') ?? [])]
  const at = items.findIndex((item) => item === document.activeElement)
  const step = STEPS[event.key]
  const target = step === undefined ? edge(event.key, items.length) : (at + step + items.length) % items.length
  if (event.key === 'Escape' || event.key === 'Tab') onClose()
  else if (target !== null) items[target]?.focus()
  else return
  event.preventDefault()
  event.stopPropagation()
}

function edge(key: string, length: number): number | null {
  return key === 'Home' ? 0 : key === 'End' ? length - 1 : null
}
