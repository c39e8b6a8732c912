/** Tells when somebody puts the open workflow into the trash, and goes on when it is back. */

import { nameOf } from '../shared/people'
import { useToast } from '../shared/toast'
import { useEditor, useEvents } from './use-opened'

export function useTrashed(): void {
  const { sync, account } = useEditor()
  const toast = useToast()
  useEvents(({ kind, by }) => {
    if (kind === 'UNDELETED') sync.retry()
    if (kind !== 'DELETED' || by === account.id) return
    toast({ text: `${by === null ? 'Somebody' : nameOf(by)} put this workflow into the trash`, isBad: true })
  })
}
