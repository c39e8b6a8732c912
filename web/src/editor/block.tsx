/** A block on the canvas. */

import { Handle, type NodeProps, Position, useUpdateNodeInternals } from '@xyflow/react'
import { createContext, memo, useContext, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Document, Room } from 'workflow-sync'
import { Icon } from '../shared/icon'
import type { Part } from './changes'
import { type Person, useSelecting } from './company'
import { isEnabled, sizeOf, summaryOf, titleOf, typeName, typeOf } from './fields'
import { type Block, blockIn, type Ports, portsIn } from './graph'
import { lookOf } from './kinds'

/** Where blocks are read from: what is open, or an old version of it. */
export interface Source {
  readonly subscribe: (listener: () => void) => () => void
  readonly getDocument: () => Document
  /** Null where nobody selects anything. */
  readonly room: Room | null
  /** What became of some blocks. */
  readonly marks?: ReadonlyMap<string | null, Part['what']>
}

const NOTHING: Source = { subscribe: () => () => {}, getDocument: () => ({}), room: null }

export const SourceProvider = createContext<Source>(NOTHING)

export const BlockNode = memo(function BlockNode({ id, selected }: NodeProps) {
  const { subscribe, getDocument, room, marks } = useContext(SourceProvider)
  const block = useSyncExternalStore(subscribe, () => blockIn(getDocument(), id))
  const ports = useSyncExternalStore(subscribe, () => portsIn(getDocument(), id))
  const people = useSelecting(room, id)
  if (!block) return null
  const look = lookOf(typeOf(block))
  const isFrame = look.icon === 'loop' && sizeOf(block) !== null
  return (
    <div
      className={isFrame ? 'block frame' : 'block'}
      data-hue={look.hue}
      data-selected={selected}
      data-off={!isEnabled(block)}
      data-mark={marks?.get(id)}
      style={isFrame ? FULL : { width: widthOf(block) }}
    >
      <Sockets id={id} ports={ports} isNote={look.icon === 'note'} />
      <div className="block-head">
        <span className="block-icon">
          <Icon name={look.icon} size={16} />
        </span>
        <span className="block-title">{titleOf(block)}</span>
        {!isEnabled(block) && <span className="block-off">Off</span>}
      </div>
      {!isFrame && <Body block={block} />}
      {people.length > 0 && <Outline people={people} />}
    </div>
  )
})

const FULL = { width: '100%', height: '100%' }
const LEAST_WIDTH = 110 // pixels, as is the next
const WIDTH = 240

/** Narrow where its editor drew it so, or it would lie over its neighbours. */
function widthOf(block: Block): number {
  return Math.min(WIDTH, Math.max(LEAST_WIDTH, sizeOf(block)?.width ?? WIDTH))
}

function Body({ block }: { block: Block }) {
  const summary = summaryOf(block)
  return (
    <div className="block-body">
      {typeName(block) !== titleOf(block) && <span className="block-type">{typeName(block)}</span>}
      {summary && <p>{summary}</p>}
    </div>
  )
}

function Outline({ people }: { people: readonly Person[] }) {
  const colour = people[0]?.colour
  return (
    <div className="block-outline" style={{ borderColor: colour ?? '' }}>
      <span className="name-tags">
        {people.map(({ clientId, name, colour }) => (
          <span key={clientId} className="name-tag" style={{ backgroundColor: colour }}>
            {name}
          </span>
        ))}
      </span>
    </div>
  )
}

/** Where connections begin and end: one place on the left, on the right one for each that an edge names. */
function Sockets({ id, ports, isNote }: { id: string; ports: Ports; isNote: boolean }) {
  const update = useUpdateNodeInternals()
  const measured = useRef(ports) // React Flow itself measures a block that is new
  useEffect(() => {
    if (measured.current !== ports) update(id)
    measured.current = ports
  }, [update, id, ports])
  const { sources, targets } = ports
  if (isNote && sources.length + targets.length === 0) return null
  return (
    <>
      <Handle type="target" position={Position.Left} />
      {targets.map((name) => (
        <Handle
          key={name}
          type="target"
          id={name}
          position={Position.Left}
          className="hidden-socket"
          isConnectable={false}
        />
      ))}
      {sources.length === 0 && <Handle type="source" position={Position.Right} />}
      {sources.map((name, index) => (
        <Handle
          key={name}
          type="source"
          id={name}
          position={Position.Right}
          title={name}
          className={sideOf(name)}
          style={{ top: `${(100 * (index + 1)) / (sources.length + 1)}%` }}
        />
      ))}
    </>
  )
}

/** What is inside of a loop begins at its left edge. */
function sideOf(socket: string): string {
  return /(loop|parallel)-start/.test(socket) ? 'inner-socket' : ''
}

export const NODE_TYPES = { block: BlockNode }
