/** A file came in while a workflow is open: shall it replace that, or be one of its own? */

import type { Imported } from '../shared/file'
import { Dialog } from '../shared/dialog'

interface ReplaceProps {
  readonly file: Imported
  readonly onReplace: () => void
  readonly onOpen: () => void
  readonly onClose: () => void
}

export function Replace({ file: { name }, onReplace, onOpen, onClose }: ReplaceProps) {
  return (
    <Dialog title={`Import ${name}`} onClose={onClose}>
      <p>Should it replace what is on this canvas? The history keeps what was there, and you can undo it.</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => (onClose(), onOpen())}>
          Open as a new workflow
        </button>
        <button type="button" className="button primary" autoFocus onClick={() => (onClose(), onReplace())}>
          Replace
        </button>
      </div>
    </Dialog>
  )
}
