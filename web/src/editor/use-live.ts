/** While somebody else is here, edits go out at once: they are watching. */

import { useEffect } from 'react'
import { useEditor } from './use-opened'

const GATHER_MS = 40 // of typing or dragging go out together; with the way there and back it still looks immediate

export function useLive(): void {
  const { sync, room } = useEditor()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const send = () => {
      timer = undefined
      if (sync.status === 'dirty') sync.flush('DEBOUNCED').catch(() => {}) // the indicator says what came of it
    }
    const look = () => {
      if (sync.status === 'dirty' && room.getSnapshot().length > 0) timer ??= setTimeout(send, GATHER_MS)
    }
    const stop = sync.subscribe(look)
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [sync, room])
}
