/** A workflow that is not there, or not for this person. */

import { Copied } from '../shared/copy'
import { Notice } from '../shared/notice'
import { LIST, NEW } from '../shared/route'
import { useEditor, useEvents } from './use-opened'

/** `onShared`: by now it may be there. */
export function Missing({ code, onShared }: { code: string; onShared: () => void }) {
  const { account } = useEditor()
  useEvents(({ workflow }) => workflow && onShared())
  const title =
    code === 'ACCESS_REVOKED' ? 'This workflow is not shared with you any more' : 'This workflow is not here'
  return (
    <div className="missing">
      <Notice icon="eye" title={title} isPage>
        <p>It may be in the trash, or nobody has shared it with you. Ask its owner to share it with this id:</p>
        <Copied text={account.id} label="your id" />
        <p className="notice-actions">
          <a className="button" href={LIST}>
            All workflows
          </a>
          <a className="button primary" href={NEW}>
            New workflow
          </a>
        </p>
      </Notice>
    </div>
  )
}
