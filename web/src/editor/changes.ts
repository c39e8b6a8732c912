/** What a version changed, in the words of the canvas: which blocks and connections, and what in them. Pure. */

import type { Change, Document, Path } from 'workflow-sync'
import { type Graph, graphOf } from 'workflow-sync/graph'
import { getIn, idOf, isList, isObject, type Maybe, textIn } from '../shared/json'
import { labelOf, titleOf } from './fields'
import { pathOf } from './graph'

export interface Row {
  readonly label: string
  readonly before: Maybe
  readonly after: Maybe
}

export interface Part {
  readonly key: string
  readonly title: string
  /** Where it is a block. */
  readonly blockId: string | null
  readonly what: 'added' | 'removed' | 'changed'
  readonly rows: readonly Row[]
}

interface Versions {
  readonly before: Document
  readonly after: Document
}

const WRAPPING = new Set(['subBlocks', 'value', 'data', 'inputs', 'template', 'node']) // says nothing to a reader

export function partsOf(changes: readonly Change[], versions: Versions): readonly Part[] {
  const graph = graphOf(versions.after) ?? graphOf(versions.before)
  const single = changes.flatMap((change) => singly(change, versions, graph))
  const groups = Map.groupBy(single, ({ path }) => JSON.stringify(wholeOf(path, graph)))
  const parts = [...groups].map(([key, group]) => partOf(key, JSON.parse(key) as Path, group, versions, graph))
  return parts.filter(
    ({ rows, what }) => what === 'changed' || rows.every(({ before, after }) => !isEmpty(before ?? after)),
  )
}

/** All blocks or connections, where they come or go at once, one by one. */
function singly(change: Change, { before, after }: Versions, graph: Graph | null): readonly Change[] {
  const { path } = change
  const depth = graph ? pathOf(graph).length : 0
  const isAll = path.length === depth + 1 && (path[depth] === graph?.kind || path[depth] === 'edges')
  if (!isAll || 'order' in change) return [change]
  const ids = new Set([getIn(before, path), getIn(after, path)].flatMap(idsIn))
  return [...ids].map((id) => ({ ...change, path: [...path, id] }))
}

function idsIn(members: Maybe): readonly string[] {
  if (isList(members)) return members.flatMap((item) => idOf(item) ?? [])
  return isObject(members) ? Object.keys(members) : []
}

/** Nothing to tell of. */
function isEmpty(value: Maybe): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** The path of the block or connection that a change is in; else of the top-level member. */
function wholeOf(path: Path, graph: Graph | null): Path {
  const depth = graph ? pathOf(graph).length + 1 : 1
  const isElement = graph !== null && [graph.kind, 'edges'].some((kind) => isUnder(path, [...pathOf(graph), kind]))
  return isElement ? path.slice(0, depth + 1) : path.slice(0, 1)
}

function isUnder(path: Path, above: Path): boolean {
  return path.length > above.length && above.every((key, level) => path[level] === key)
}

function partOf(key: string, whole: Path, changes: readonly Change[], versions: Versions, graph: Graph | null): Part {
  const [before, after] = [getIn(versions.before, whole), getIn(versions.after, whole)]
  const what = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  const rows = changes.flatMap((change) => (change.path.length > whole.length ? [rowOf(change, whole, versions)] : []))
  return {
    key,
    title: titleFor(whole, after ?? before, versions, graph),
    blockId: graph !== null && whole.at(-2) === graph.kind ? (whole.at(-1) ?? null) : null,
    what,
    rows: distinct(rows.length > 0 ? rows : wholeRow(whole, before, after, graph)),
  }
}

/** A part that is no block or connection shows its value. */
function wholeRow(whole: Path, before: Maybe, after: Maybe, graph: Graph | null): readonly Row[] {
  const isElement = graph !== null && whole.length === pathOf(graph).length + 2
  return isElement ? [] : [{ label: 'Value', before, after }]
}

function titleFor(whole: Path, value: Maybe, versions: Versions, graph: Graph | null): string {
  const kind = whole.at(-2)
  if (graph === null || whole.length < 2) return labelOf(whole[0] ?? 'Workflow')
  if (kind === graph.kind) return isObject(value) ? titleOf(value) : (whole.at(-1) ?? '')
  const ends = ['source', 'target'].map((end) => nameOfBlock(textIn(value, [end]), versions))
  return ends.join(' → ')
}

function nameOfBlock(id: string, { before, after }: Versions): string {
  const block = graphOf(after)?.elements.get(id) ?? graphOf(before)?.elements.get(id)
  return block ? titleOf(block) : id
}

function rowOf({ path, ...change }: Change, whole: Path, { before, after }: Versions): Row {
  const inner = path.slice(whole.length)
  if (inner[0] === 'position') {
    const at = [...whole, 'position']
    return { label: 'Position', before: placeOf(getIn(before, at)), after: placeOf(getIn(after, at)) }
  }
  const label = labelFor(inner)
  if ('order' in change) return { label: `${label}: order`, before: undefined, after: change.order.join(', ') }
  return { label, before: getIn(before, path), after: getIn(after, path) }
}

function placeOf(position: Maybe): Maybe {
  const [x, y] = ['x', 'y'].map((axis) => getIn(position, [axis]))
  return typeof x === 'number' && typeof y === 'number' ? `${Math.round(x)}, ${Math.round(y)}` : position
}

/** Where in a block, as words. */
export function labelFor(inner: Path): string {
  const told = inner.filter((key) => !WRAPPING.has(key))
  return (told.length > 0 ? told : inner).map(labelOf).join(' · ')
}

function distinct(rows: readonly Row[]): readonly Row[] {
  return rows.filter(
    ({ label }, index) => label !== 'Position' || rows.findIndex((row) => row.label === label) === index,
  )
}
