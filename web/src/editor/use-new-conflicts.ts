/** Tells of conflicts that come up while somebody works. */

import { useEffect, useRef } from 'react'
import { useToast } from '../shared/toast'
import { useSnapshot } from './use-opened'

export function useNewConflicts(onLook: () => void): void {
  const { conflicts } = useSnapshot()
  const toast = useToast()
  const before = useRef(conflicts.length)
  useEffect(() => {
    if (conflicts.length > before.current) {
      toast({ text: 'Two people changed the same thing', action: { label: 'Look', run: onLook } })
    }
    before.current = conflicts.length
  })
}
