/** The block that is selected, field by field. */

import { useReactFlow } from '@xyflow/react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import type { Json, Path } from 'workflow-sync'
import { graphOf } from 'workflow-sync/graph'
import { Icon } from '../shared/icon'
import { getIn, isObject, setIn, textIn } from '../shared/json'
import { Drawer } from './drawer'
import { Field, Switch } from './field'
import {
  descriptionPath,
  hasSetting,
  isEnabled,
  namePath,
  settingsOf,
  switchPath,
  titleOf,
  typeName,
  withSetting,
} from './fields'
import { type Block, blockIn, editBlock, withEdge, withoutEdge } from './graph'
import { useInSight } from './use-in-sight'
import { useEditor, useSnapshot } from './use-opened'

interface PanelProps {
  readonly id: string
  /** The name is to be written at once. */
  readonly isAsked: boolean
  readonly onAnswered: () => void
  readonly onClose: () => void
}

export function Panel({ id, isAsked, onAnswered, onClose }: PanelProps) {
  const { document, role } = useSnapshot()
  const block = blockIn(document, id)
  const { deleteElements } = useReactFlow()
  const body = useRef<HTMLDivElement>(null)
  useInSight(id)
  useEffect(() => {
    if (!isAsked) return
    body.current?.querySelector('input')?.select()
    onAnswered()
  })
  if (!block) return null
  const isReadOnly = role === 'VIEWER'
  const remove = (
    <button
      type="button"
      className="icon-button"
      aria-label="Delete block"
      onClick={() => void deleteElements({ nodes: [{ id }] })}
    >
      <Icon name="trash" />
    </button>
  )
  return (
    <Drawer title="Block" onClose={onClose} actions={!isReadOnly && remove}>
      <div ref={body} className="fields">
        <Basics id={id} block={block} isReadOnly={isReadOnly} />
        <Settings id={id} block={block} isReadOnly={isReadOnly} />
        <Connections id={id} isReadOnly={isReadOnly} />
        <Whole id={id} block={block} isReadOnly={isReadOnly} />
      </div>
    </Drawer>
  )
}

interface PartProps {
  readonly id: string
  readonly block: Block
  readonly isReadOnly: boolean
}

const PAUSE_MS = 1_500 // ends what is undone in one go

/** Writes one place of a block; what is typed in one go is undone in one go. */
function useWrite(id: string): (path: Path, value: Json | undefined) => void {
  const { sync } = useEditor()
  const last = useRef({ at: 0, go: 0 })
  return (path, value) => {
    const now = Date.now()
    const { at, go } = last.current
    last.current = { at: now, go: now - at > PAUSE_MS ? go + 1 : go }
    const step = `${id} ${path.join(' ')} ${last.current.go}`
    sync.update((document) => editBlock(document, id, (block) => setIn(block, path, value)), { step })
  }
}

function Basics({ id, block, isReadOnly }: PartProps) {
  const write = useWrite(id)
  const [name, description] = [namePath(block), descriptionPath(block)]
  return (
    <>
      <p className="quiet">{typeName(block)}</p>
      <Field
        label="Name"
        value={textIn(block, name)}
        isShort
        isReadOnly={isReadOnly}
        onChange={(value) => write(name, value)}
      />
      <Field
        label="Description"
        value={textIn(block, description)}
        isReadOnly={isReadOnly}
        onChange={(value) => write(description, value)}
      />
      <Switch
        label="Enabled"
        value={isEnabled(block)}
        isReadOnly={isReadOnly}
        onChange={(value) => write(switchPath(block), value)}
      />
    </>
  )
}

function Settings({ id, block, isReadOnly }: PartProps) {
  const write = useWrite(id)
  return (
    <section className="panel-part" aria-label="Settings">
      <h3>Settings</h3>
      {settingsOf(block).map(({ name, label, value, path, whole }) => (
        <Field
          key={`${id} ${name}`}
          label={label}
          value={value}
          isReadOnly={isReadOnly}
          onChange={(next) => write(path, next)}
          {...(!isReadOnly && { onRemove: () => write(whole, undefined) })}
        />
      ))}
      {!isReadOnly && <AddSetting id={id} block={block} />}
    </section>
  )
}

const TYPES: Readonly<Record<string, Json>> = { Text: '', Number: 0, 'Yes or no': false, List: [], Object: {} }

function AddSetting({ id, block }: Omit<PartProps, 'isReadOnly'>) {
  const { sync } = useEditor()
  const [problem, setProblem] = useState('')
  const add = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const key = String(form.get('key')).trim()
    if (!key || hasSetting(block, key)) return setProblem(key ? 'There is one of that name.' : 'Give it a name.')
    setProblem('')
    event.currentTarget.reset()
    sync.update((document) =>
      editBlock(document, id, (now) => withSetting(now, key, TYPES[String(form.get('type'))] ?? '')),
    )
  }
  return (
    <form className="add-setting" onSubmit={add}>
      <input name="key" aria-label="New setting" placeholder="New setting" autoComplete="off" />
      <select name="type" aria-label="Type">
        {Object.keys(TYPES).map((type) => (
          <option key={type}>{type}</option>
        ))}
      </select>
      <button type="submit" className="button small" aria-label="Add setting">
        <Icon name="add" size={15} />
      </button>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}

/** Where it leads: the way to connect blocks without a pointer. */
function Connections({ id, isReadOnly }: Omit<PartProps, 'block'>) {
  const { sync } = useEditor()
  const graph = graphOf(useSnapshot().document)
  if (!graph) return null
  const outgoing = [...graph.edges].filter(([, { source }]) => source === id)
  const taken = new Set<unknown>([id, ...outgoing.map(([, { target }]) => target)])
  const free = [...graph.elements].filter(([other]) => !taken.has(other))
  const connect = (target: string) =>
    sync.update((document) => withEdge(document, { id: crypto.randomUUID(), source: id, target }))
  if (outgoing.length === 0 && (isReadOnly || free.length === 0)) return null
  return (
    <section className="panel-part" aria-label="Leads to">
      <h3>Leads to</h3>
      <ul className="connections">
        {outgoing.map(([edgeId, edge]) => (
          <Connection
            key={edgeId}
            id={edgeId}
            isReadOnly={isReadOnly}
            title={titleOf(graph.elements.get(textIn(edge, ['target'])) ?? {})}
          />
        ))}
      </ul>
      {!isReadOnly && free.length > 0 && (
        <select aria-label="Connect to" value="" onChange={(event) => connect(event.target.value)}>
          <option value="" disabled>
            Connect to...
          </option>
          {free.map(([other, block]) => (
            <option key={other} value={other}>
              {titleOf(block)}
            </option>
          ))}
        </select>
      )}
    </section>
  )
}

function Connection({ id, title, isReadOnly }: { id: string; title: string; isReadOnly: boolean }) {
  const { sync } = useEditor()
  return (
    <li>
      {title}
      {!isReadOnly && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Disconnect ${title}`}
          onClick={() => sync.update((document) => withoutEdge(document, id))}
        >
          <Icon name="close" size={14} />
        </button>
      )}
    </li>
  )
}

/** Everything of the block, for what has no field. */
function Whole({ id, block, isReadOnly }: PartProps) {
  const { sync } = useEditor()
  const write = (value: Json) => {
    if (!isObject(value)) return
    const edit = (now: Block) => setIn(value, ['id'], getIn(now, ['id'])) // an id is for good
    sync.update((document) => editBlock(document, id, edit), { step: `${id} whole` })
  }
  return (
    <details className="panel-part">
      <summary>Everything, as JSON</summary>
      <Field label="Block as JSON" value={block} isReadOnly={isReadOnly} onChange={write} />
    </details>
  )
}
