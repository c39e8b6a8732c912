/** A text that is to be handed on, with a button that copies it. */

import { useState } from 'react'
import { Icon } from './icon'

const COPIED_MS = 1_500 // long enough to be read

export function Copied({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), COPIED_MS)
  }
  return (
    <span className="copied">
      <code>{text}</code>
      {isSecureContext && ( // browsers keep the clipboard from pages that came over plain HTTP
        <button type="button" className="button small" onClick={copy} aria-label={`Copy ${label}`}>
          <Icon name={isCopied ? 'check' : 'copy'} size={15} />
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      )}
    </span>
  )
}
