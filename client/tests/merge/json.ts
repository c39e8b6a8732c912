/** JSON as fast-check draws it: small documents that meet often, with everything that is odd about JSON in them. */

import fc from 'fast-check'

import type { Document, Json } from '../../src/types.js'

const text = fc.string({ maxLength: 4, unit: 'grapheme' })
const key = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'id', '0', '10', '9', 'nodes', 'blocks', 'edges', 'lastSaved', 'ключ'),
  fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', 'toString', 'length'),
  text,
)
const itemId = fc.oneof(fc.constantFrom('n1', 'n2', 'n3', '10', '9', ' ', '__proto__', 'é'), text.filter(Boolean))
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -0, 0.1, '', '0', 'n1'),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
)

/** Objects with keys that objects inherit, too, as members of their own. */
const object = (member: fc.Arbitrary<Json>, maxLength: number): fc.Arbitrary<Document> =>
  fc.array(fc.tuple(key, member), { maxLength }).map((entries) => Object.fromEntries(entries))

/** Lists of items with ids; now and then with one id twice, so that they are not keyed. */
const keyedList = (member: fc.Arbitrary<Json>): fc.Arbitrary<Json[]> => {
  const item = fc.tuple(object(member, 3), itemId).map(([members, id]): Document => ({ ...members, id }))
  return fc.oneof(
    { weight: 4, arbitrary: fc.uniqueArray(item, { maxLength: 5, selector: (drawn) => drawn['id'] }) },
    { weight: 1, arbitrary: fc.array(item, { maxLength: 2 }) },
  )
}

const container = (member: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof(object(member, 4), keyedList(member), fc.array(member, { maxLength: 3 }))

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, container(tie('value'))),
})).value

export const anyDocument = object(fc.oneof(container(value), keyedList(value), scalar), 3)

/** Draws what becomes of a value when somebody edits it here and there; ids of items mostly stay. */
const edited = (from: Json): fc.Arbitrary<Json> => {
  if (Array.isArray(from)) return editedList(from)
  if (typeof from === 'object' && from !== null) return editedObject(from as Document)
  return scalar
}

const maybeEdited = (from: Json): fc.Arbitrary<Json> =>
  fc.boolean().chain((isEdited) => (isEdited ? edited(from) : fc.constant(from)))

const MOSTLY = [true, true, true, false]

const keptOf = <Member>(members: readonly Member[]): fc.Arbitrary<Member[]> =>
  fc.tuple(...members.map(() => fc.constantFrom(...MOSTLY))).map((kept) => members.filter((_, place) => kept[place]))

const editedObject = (from: Document): fc.Arbitrary<Document> =>
  keptOf(Object.entries(from)).chain((kept) =>
    fc
      .tuple(fc.tuple(...kept.map(([name, member]) => maybeEdited(member).map((now) => [name, now]))), object(value, 1))
      .map(([members, added]) => ({ ...Object.fromEntries(members), ...added })),
  )

const editedList = (from: readonly Json[]): fc.Arbitrary<Json[]> =>
  keptOf(from)
    .chain((kept) => fc.tuple(fc.tuple(...kept.map(editedItem)), fc.oneof(fc.constant([]), keyedList(scalar))))
    .chain(([kept, added]) => {
      const items = [...kept, ...added]
      return fc.oneof(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length }))
    })

const editedItem = (item: Json): fc.Arbitrary<Json> =>
  maybeEdited(item).map((now) => (hasId(item) && hasId(now) ? { ...now, id: item['id'] ?? null } : now))

const hasId = (item: Json): item is Document => typeof item === 'object' && item !== null && Object.hasOwn(item, 'id')

/** A document, and what two people made of it. */
export const threeDocuments = anyDocument.chain((base) =>
  fc.tuple(fc.constant(base), editedObject(base), editedObject(base)),
)

/** Two documents: two of any kind, or one and what became of it. */
export const twoDocuments = fc.oneof(
  fc.tuple(anyDocument, anyDocument),
  anyDocument.chain((base) => fc.tuple(fc.constant(base), editedObject(base))),
)

const elementId = fc.constantFrom('a', 'b', 'c', '1')
const edgeId = fc.constantFrom('e', 'f', 'g', 'h')
const element = fc.record({ x: fc.nat(2) })
const edge = fc.record(
  { source: elementId, target: elementId, label: fc.nat(1) },
  { requiredKeys: ['source', 'target'] },
)

const itemsOf = (ids: fc.Arbitrary<string>, item: fc.Arbitrary<Document>): fc.Arbitrary<Document[]> =>
  fc.uniqueArray(
    fc.tuple(ids, item).map(([id, members]): Document => ({ ...members, id })),
    { maxLength: 5, selector: (drawn) => drawn['id'] },
  )

const groups = fc.dictionary(fc.constantFrom('g', 'h'), fc.record({ nodes: fc.uniqueArray(elementId), n: fc.nat(1) }))

/** A workflow of few ids, so that any two have much in common. */
const graph: fc.Arbitrary<Document> = fc.oneof(
  fc.record({ blocks: fc.dictionary(elementId, element), edges: itemsOf(edgeId, edge) }),
  fc.record({ nodes: itemsOf(elementId, element), edges: itemsOf(edgeId, edge) }),
  fc.record({ blocks: fc.dictionary(elementId, element), edges: fc.array(edge, { maxLength: 4 }), loops: groups }),
  fc.record(
    { blocks: fc.dictionary(elementId, element), edges: itemsOf(edgeId, edge), loops: groups, parallels: groups },
    { requiredKeys: ['edges'] },
  ),
)

/** A level down in a document. */
const held = (drawn: fc.Arbitrary<Document>): fc.Arbitrary<Document> => drawn.map((workflow) => ({ workflow }))

export const threeGraphs = fc.oneof(
  fc.tuple(graph, graph, graph),
  fc.tuple(held(graph), held(graph), held(graph)),
  graph.chain((base) => fc.tuple(fc.constant(base), editedObject(base), editedObject(base))),
)

/** Makes it an error to change anything in a value. */
export const frozen = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Reflect.ownKeys(value).forEach((name) => frozen(Reflect.get(value, name)))
  }
  return value
}
