/** The kinds of blocks: how each looks, and what a new one holds. */

import type { Json } from 'workflow-sync'
import type { Graph } from 'workflow-sync/graph'
import type { IconName } from '../shared/icon'
import type { Block } from './graph'
import { titleOf } from './fields'

export interface Kind {
  readonly type: string
  readonly name: string
  readonly detail: string
  readonly icon: IconName
  readonly hue: Hue
  readonly settings: Readonly<Record<string, Json>>
}

export type Hue = 'green' | 'violet' | 'blue' | 'teal' | 'amber' | 'rose' | 'yellow' | 'grey'

export const KINDS: readonly Kind[] = [
  { type: 'trigger', name: 'Trigger', detail: 'Where it begins', icon: 'play', hue: 'green', settings: { event: '' } },
  {
    type: 'agent',
    name: 'Agent',
    detail: 'Thinks with a model',
    icon: 'agent',
    hue: 'violet',
    settings: { model: '', prompt: '', temperature: 0.7 },
  },
  { type: 'function', name: 'Function', detail: 'Runs code', icon: 'code', hue: 'blue', settings: { code: '' } },
  {
    type: 'api',
    name: 'Request',
    detail: 'Calls an API',
    icon: 'api',
    hue: 'teal',
    settings: { url: '', method: 'GET', headers: {} },
  },
  {
    type: 'condition',
    name: 'Condition',
    detail: 'Chooses a way',
    icon: 'condition',
    hue: 'amber',
    settings: { expression: '' },
  },
  {
    type: 'response',
    name: 'Response',
    detail: 'Gives the result',
    icon: 'reply',
    hue: 'rose',
    settings: { body: '' },
  },
  { type: 'note', name: 'Note', detail: 'Explains to others', icon: 'note', hue: 'yellow', settings: { content: '' } },
]

export interface Look {
  readonly icon: IconName
  readonly hue: Hue
}

// The words that other editors' types are made of.
const LOOKS: readonly (readonly [RegExp, Look])[] = [
  [/note|sticky/i, { icon: 'note', hue: 'yellow' }],
  [/loop|parallel|iteration/i, { icon: 'loop', hue: 'grey' }],
  [/condition|router|if_?else|branch/i, { icon: 'condition', hue: 'amber' }],
  [/trigger|start|schedule|webhook|input/i, { icon: 'play', hue: 'green' }],
  [/agent|llm|model|prompt|openai|anthropic/i, { icon: 'agent', hue: 'violet' }],
  [/function|code|python|script|custom/i, { icon: 'code', hue: 'blue' }],
  [/respon|reply|output/i, { icon: 'reply', hue: 'rose' }],
  [/api|http|request|url|tool/i, { icon: 'api', hue: 'teal' }],
]
const PLAIN: Look = { icon: 'block', hue: 'grey' }

export function lookOf(type: string): Look {
  return LOOKS.find(([words]) => words.test(type))?.[1] ?? PLAIN
}

interface Place {
  readonly x: number
  readonly y: number
}

/** A new block for this graph, by a name that no other block has. */
export function newBlock(
  { kind, elements }: Graph,
  id: string,
  { type, name, settings }: Kind,
  position: Place,
): Block {
  const title = freeName(name, new Set([...elements.values()].map(titleOf)))
  if (kind === 'nodes') return { id, type, position: { ...position }, data: { label: title, ...settings } }
  const fields = Object.entries(settings).map(([key, value]) => [key, { id: key, type: inputFor(value), value }])
  const subBlocks = Object.fromEntries(fields) as Block
  return { id, type, name: title, position: { ...position }, enabled: true, subBlocks, outputs: {}, data: {} }
}

function inputFor(value: Json): string {
  return typeof value === 'string' ? 'long-input' : typeof value === 'object' ? 'code' : 'short-input'
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let result = name
  for (let number = 2; taken.has(result); number += 1) result = `${name} ${number}`
  return result
}
