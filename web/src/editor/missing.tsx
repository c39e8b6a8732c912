/** A workflow that is not there, or not for this person. */

import { Copied } from '../shared/copy'
import { Notice } from '../shared/notice'
import { LIST, NEW } from '../shared/route'
import { useEditor } from './use-opened'

export function Missing({ code }: { code: string }) {
  const { account } = useEditor()
  const title = code === 'ACCESS_REVOKED' ? 'This workflow is not shared with you any more' : 'This workflow is not here'
  return (
    <div className="missing">
      <Notice icon="eye" title={title}>
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
