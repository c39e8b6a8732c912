/** A page that has nothing to show but a sentence: loading, an error, nothing there. */

import type { ReactNode } from 'react'
import { Icon, type IconName } from './icon'

interface NoticeProps {
  readonly icon?: IconName
  readonly title: string
  readonly children?: ReactNode
}

export function Notice({ icon, title, children }: NoticeProps) {
  return (
    <section className="notice" aria-label={title}>
      {icon && (
        <span className="notice-icon">
          <Icon name={icon} size={26} />
        </span>
      )}
      <h2>{title}</h2>
      {children}
    </section>
  )
}

export function Loading({ label }: { label: string }) {
  return (
    <div className="loading" role="status">
      <span className="spinner" aria-hidden="true" />
      {label}
    </div>
  )
}
