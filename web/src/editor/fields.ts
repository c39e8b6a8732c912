/** What a person may read and write in a block, wherever the editor that made it keeps that. */

import type { Json, Path } from 'workflow-sync'
import { getIn, isObject, type Maybe, setIn, textIn } from '../shared/json'
import type { Block } from './graph'

export interface Field {
  readonly name: string
  readonly label: string
  readonly value: Json
  /** In the block. */
  readonly path: Path
  /** What goes when the field is removed. */
  readonly whole: Path
}

const NAMES: readonly Path[] = [
  ['name'],
  ['data', 'node', 'display_name'],
  ['data', 'label'],
  ['data', 'title'],
  ['data', 'name'],
]
const DESCRIPTIONS: readonly Path[] = [['description'], ['data', 'node', 'description'], ['data', 'description']]
const SWITCHES: readonly Path[] = [['enabled'], ['data', 'enabled']]
const TYPES: readonly Path[] = [['data', 'type'], ['data', 'name'], ['type']]

/** Where a block of this sort keeps its name; a name may be missing. */
export function namePath(block: Block): Path {
  return first(block, NAMES) ?? (isNode(block) ? ['data', 'label'] : ['name'])
}

export function descriptionPath(block: Block): Path {
  return first(block, DESCRIPTIONS) ?? (isNode(block) ? ['data', 'description'] : ['description'])
}

export function switchPath(block: Block): Path {
  return (
    SWITCHES.find((path) => getIn(block, path) !== undefined) ?? (isNode(block) ? ['data', 'enabled'] : ['enabled'])
  )
}

function first(block: Block, paths: readonly Path[]): Path | undefined {
  return paths.find((path) => typeof getIn(block, path) === 'string')
}

function isNode(block: Block): boolean {
  return isObject(block['data']) && !('subBlocks' in block) && !('name' in block)
}

export function titleOf(block: Block): string {
  return textIn(block, namePath(block)) || typeName(block)
}

export function isEnabled(block: Block): boolean {
  return getIn(block, switchPath(block)) !== false
}

/** What the block is, as its editor says: the more telling of its types. */
export function typeOf(block: Block): string {
  const types = isNode(block) ? TYPES : [['type']]
  return types.map((path) => textIn(block, path)).find(Boolean) ?? 'block'
}

const GENERAL = /^(genericNode|agentFlow|customNode|custom|default|node)$/

/** A type as words: "google_sheets_v2" reads "Google sheets". */
export function typeName(block: Block): string {
  const type = GENERAL.test(typeOf(block)) ? textIn(block, ['type']) : typeOf(block)
  const words = type
    .replace(/(Agentflow|Node|Component)$|_v\d+$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
  return sentence(words)
}

/** A sentence about the block: its description, or the first text in it; of a note, its text. */
export function summaryOf(block: Block): string {
  const description = textIn(block, descriptionPath(block))
  const settings = settingsOf(block).map(({ value }) => value)
  const texts = /note/i.test(typeOf(block)) ? [...settings, description] : [description, ...settings]
  const text = texts.find((value) => typeof value === 'string' && value.trim() !== '')
  return typeof text === 'string' ? plain(text) : ''
}

const MOST_CHARACTERS = 160 // of which a block shows two lines

function plain(text: string): string {
  return text
    .slice(0, MOST_CHARACTERS * 4)
    .replace(/<\/?[a-z][^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_CHARACTERS)
}

/** The free settings of a block: Sim's `subBlocks`, Langflow's `template`, Flowise's `inputs`, or whatever `data` holds. */
export function settingsOf(block: Block): readonly Field[] {
  const home = homeOf(block)
  const members = getIn(block, home.path)
  if (!isObject(members)) return []
  const taken = [namePath(block), descriptionPath(block), switchPath(block)].map((path) => path.join('/'))
  return Object.entries(members).flatMap(([key, value]) => {
    const whole = [...home.path, key]
    return taken.includes(whole.join('/')) ? [] : fieldOf(key, value, whole, home.isWrapped)
  })
}

interface Home {
  readonly path: Path
  /** Each setting is an object with a `value`. */
  readonly isWrapped: boolean
}

const HOMES: readonly Home[] = [
  { path: ['subBlocks'], isWrapped: true },
  { path: ['data', 'node', 'template'], isWrapped: true },
  { path: ['data', 'inputs'], isWrapped: false },
]

function homeOf(block: Block): Home {
  return HOMES.find(({ path }) => isObject(getIn(block, path))) ?? { path: ['data'], isWrapped: false }
}

function fieldOf(key: string, value: Json, whole: Path, isWrapped: boolean): Field[] {
  if (!isWrapped) return [{ name: key, label: labelOf(key), value, path: whole, whole }]
  if (!isObject(value) || value['show'] === false || value['value'] === undefined) return []
  const label = textIn(value, ['display_name']) || labelOf(key)
  return [{ name: key, label, value: value['value'], path: [...whole, 'value'], whole }]
}

/** "systemPrompt" reads "System prompt". */
export function labelOf(key: string): string {
  return sentence(
    key
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replace(/[_-]+/g, ' ')
      .trim(),
  )
}

function sentence(words: string): string {
  const text = words
    .toLowerCase()
    .replace(/\b(ai|api|html|http|id|json|llm|sql|url|xml)\b/g, (word) => word.toUpperCase())
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export function withSetting(block: Block, key: string, value: Json): Json {
  const { path, isWrapped } = homeOf(block)
  return setIn(block, [...path, key], isWrapped ? { id: key, type: 'short-input', value } : value)
}

export function hasSetting(block: Block, key: string): boolean {
  return getIn(block, [...homeOf(block).path, key]) !== undefined
}

export function sizeOf(block: Block): { width: number; height: number } | null {
  const [width, height] = ['width', 'height'].map((key) => numberIn(block, ['data', key]) ?? numberIn(block, [key]))
  return width && height ? { width, height } : null
}

function numberIn(value: Maybe, path: Path): number | null {
  const found = getIn(value, path)
  return typeof found === 'number' ? found : null
}
