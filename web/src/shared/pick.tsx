/** A file from a person's own machine: chosen, or dropped anywhere on the page. */

import { useEffect, useRef, useState } from 'react'

/** Returns whether a file is held over the page. */
export function useDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [isOver, setOver] = useState(false)
  const handler = useRef(onFiles)
  handler.current = onFiles
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false)
    const drop = (event: DragEvent) => {
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      handler.current(files)
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
    }
  }, [])
  return isOver
}

/** Ask for files; nothing comes of it where the person changes their mind. */
export function pickFiles(onFiles: (files: readonly File[]) => void): void {
  const input = Object.assign(document.createElement('input'), {
    type: 'file',
    accept: '.json,application/json',
    multiple: true,
  })
  input.addEventListener('change', () => onFiles([...(input.files ?? [])]))
  input.click()
}

export function DropHint({ text }: { text: string }) {
  return (
    <div className="drop-hint" aria-hidden="true">
      <p>{text}</p>
    </div>
  )
}
