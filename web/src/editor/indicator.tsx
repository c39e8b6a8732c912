/** Says whether the work is safe; why, and what to do about it, when asked. */

import { useState } from 'react'
import { download } from '../shared/file'
import { Icon, type IconName } from '../shared/icon'
import { type Saying, sayingOf, type Tone } from './saved'
import { useEditor, useSnapshot } from './use-opened'

const ICONS: Readonly<Record<Tone, IconName>> = {
  good: 'check',
  busy: 'upload',
  kept: 'device',
  bad: 'alert',
  quiet: 'eye',
}

export function Indicator() {
  const [isOpen, setOpen] = useState(false)
  const saying = sayingOf(useSnapshot())
  const { text, tone } = saying
  const leave = (event: React.FocusEvent) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)
  return (
    <div className="indicator" onBlur={leave} onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}>
      <div role="status" aria-label="Saving">
        <button
          type="button"
          className="indicator-button"
          data-tone={tone}
          aria-expanded={isOpen}
          title={text}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={ICONS[tone]} size={15} />
          <span>{text}</span>
        </button>
      </div>
      {isOpen && <Why saying={saying} onDone={() => setOpen(false)} />}
    </div>
  )
}

function Why({ saying: { text, why, tone }, onDone }: { saying: Saying; onDone: () => void }) {
  const { sync } = useEditor()
  const { problems, document, name, hasUnsynced } = useSnapshot()
  const isRefused = problems.length > 0
  const again = () => {
    if (isRefused) sync.retry()
    else sync.flush('MANUAL').catch(() => {}) // the indicator says what came of it
    onDone()
  }
  return (
    <div className="popover" role="group" aria-label={text}>
      <p>{why}</p>
      {isRefused && (
        <ul className="problems">
          {problems.map(({ path, message }) => (
            <li key={path.join('/') + message}>{message}</li>
          ))}
        </ul>
      )}
      <div className="popover-actions">
        {hasUnsynced && (
          <button type="button" className="button small primary" onClick={again}>
            {tone === 'busy' ? 'Save now' : 'Try again'}
          </button>
        )}
        {isRefused && (
          <button type="button" className="button small bad" onClick={() => (sync.discard(), onDone())}>
            Let them go
          </button>
        )}
        {hasUnsynced && tone !== 'busy' && (
          <button type="button" className="button small" onClick={() => download(name ?? 'workflow', document)}>
            Download a copy
          </button>
        )}
      </div>
    </div>
  )
}
