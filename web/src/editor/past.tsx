/** An old version in the place of the canvas, and the ways out of it. */

import { Icon } from '../shared/icon'
import { moment } from '../shared/time'
import { type Shown, useRestore } from './history'
import { Preview } from './preview'
import { useSnapshot } from './use-opened'

interface PastProps {
  readonly shown: Shown
  readonly onClose: () => void
}

export function Past({ shown: { version, document, parts }, onClose }: PastProps) {
  const restore = useRestore()
  const { version: current, role } = useSnapshot()
  return (
    <>
      <Preview key={version.version} document={document} parts={parts} />
      <div className="past" role="status">
        <Icon name="history" size={16} />
        <span>
          Version {version.version} <small>{moment(version.savedAt)}</small>
        </span>
        {role !== 'VIEWER' && version.version < current && (
          <button type="button" className="button small primary" onClick={() => void restore(version).then(onClose)}>
            Restore
          </button>
        )}
        <button type="button" className="button small" onClick={onClose}>
          Back to now
        </button>
      </div>
    </>
  )
}
