/** A page that has nothing to show but a sentence: loading, an error, nothing there. */

import type { ReactNode } from 'react'
import { Icon, type IconName } from './icon'

interface NoticeProps {
  readonly icon?: IconName
  readonly title: string
  /** There is nothing else on the page. */
  readonly isPage?: boolean
  readonly children?: ReactNode
}

export function Notice({ icon, title, isPage = false, children }: NoticeProps) {
  const Place = isPage ? 'main' : 'section'
  const Heading = isPage ? 'h1' : 'h2'
  return (
    <Place className="notice" aria-label={title}>
      {icon && (
        <span className="notice-icon">
          <Icon name={icon} size={26} />
        </span>
      )}
      <Heading>{title}</Heading>
      {children}
    </Place>
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
