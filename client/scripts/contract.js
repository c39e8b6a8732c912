/** Writes src/contract.ts, the types of the server, from its SDL; with --check only says whether that is so already. */

import { readFileSync, writeFileSync } from 'node:fs'
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  isScalarType,
} from 'graphql'

const SDL = new URL('../../schema/schema.graphql', import.meta.url)
const CONTRACT = new URL('../src/contract.ts', import.meta.url)
const SCALARS = {
  ID: 'string',
  String: 'string',
  DateTime: 'string',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
  JSON: 'Json',
}
const HEADER = `/** The types of the server, generated from schema/schema.graphql by \`npm run generate\`. */

import type { Json } from './types.js'
`

function typescript(type) {
  return isNonNullType(type) ? written(type.ofType) : `${written(type)} | null`
}

function written(type) {
  if (isListType(type)) return `readonly ${bracketed(typescript(type.ofType))}[]`
  if (!isScalarType(type)) return type.name
  if (!(type.name in SCALARS)) throw new Error(`Say in SCALARS what ${type.name} is.`)
  return SCALARS[type.name]
}

const bracketed = (type) => (type.includes(' ') ? `(${type})` : type)

const comment = ({ description }, indent = '') =>
  description ? `${indent}/** ${description.replaceAll('\n', ' ')} */\n` : ''

function field(field, isInput) {
  const mark = isInput && !isRequiredInputField(field) ? '?' : ''
  return `${comment(field, '  ')}  readonly ${field.name}${mark}: ${typescript(field.type)}\n`
}

function declaration(type) {
  if (isEnumType(type))
    return `export type ${type.name} = ${type
      .getValues()
      .map(({ name }) => `'${name}'`)
      .join(' | ')}\n`
  const fields = Object.values(type.getFields()).map((each) => field(each, isInputObjectType(type)))
  return `export interface ${type.name} {\n${fields.join('')}}\n`
}

function contract() {
  const types = Object.values(buildSchema(readFileSync(SDL, 'utf8')).getTypeMap())
  const own = types.filter((type) => !type.name.startsWith('__') && !isScalarType(type))
  own.sort((a, b) => (a.name < b.name ? -1 : 1))
  return [HEADER, ...own.map((type) => `${comment(type)}${declaration(type)}`)].join('\n')
}

if (!process.argv.includes('--check')) writeFileSync(CONTRACT, contract())
else if (readFileSync(CONTRACT, 'utf8') !== contract()) {
  console.error('src/contract.ts is not what schema/schema.graphql says: npm --prefix client run generate')
  process.exitCode = 1
}
