import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createHistory, resolveConflict } from '../src/history.js'
import { SyncError, type Request } from '../src/request.js'
import type { History } from '../src/types.js'
import { faults } from './contract.js'

const ANSWER = { status: 'SAVED', version: 9, savedAt: '2026-01-02T03:04:05Z', problems: [] }

let answer: unknown
let asked: { readonly query: string; readonly variables: object }[]
let request: Request
let reload: ReturnType<typeof vi.fn<() => void>>
let history: History

beforeEach(() => {
  asked = []
  const send = async (query: string, variables: object) => {
    expect(faults(query)).toEqual([])
    asked.push({ query, variables })
    return answer
  }
  request = Object.assign(send as typeof request, { sign: () => true })
  reload = vi.fn<() => void>()
  history = createHistory(request, () => 'w', reload)
})

describe('reading the past', () => {
  const node = { version: 2, savedBy: 'ada', savedAt: 'then', clientId: null, reason: 'MANUAL', label: null }
  const page = (hasNextPage: boolean) => {
    answer = { workflow: { versions: { edges: [{ node }], pageInfo: { hasNextPage, endCursor: 'c' } } } }
  }

  it('lists versions by pages, each told where the next begins', async () => {
    page(true)
    expect(await history.list()).toEqual({ versions: [node], after: 'c' })
    page(false)
    expect(await history.list('c')).toEqual({ versions: [node], after: null })
    expect(asked.map(({ variables }) => variables)).toEqual([
      { id: 'w', after: null },
      { id: 'w', after: 'c' },
    ])
  })

  it('reads the document of a version', async () => {
    answer = { workflow: { atVersion: { state: { blocks: {} } } } }
    expect(await history.at(4)).toEqual({ blocks: {} })
    expect(asked[0]?.variables).toEqual({ id: 'w', version: 4 })
  })

  it('says what led from one version to another, each change by what it is', async () => {
    const changes = [
      { path: ['a'], value: null, remove: false, order: null },
      { path: ['b'], value: null, remove: true, order: null },
      { path: ['c'], value: null, remove: false, order: ['x', 'y'] },
    ]
    answer = { workflow: { diff: changes } }
    expect(await history.diff(1, 2)).toEqual([
      { path: ['a'], value: null },
      { path: ['b'], remove: true },
      { path: ['c'], order: ['x', 'y'] },
    ])
    expect(asked[0]?.variables).toEqual({ id: 'w', from: 1, to: 2 })
  })

  it('asks for the workflow that is open at that time', async () => {
    let open = 'first'
    page(false)
    const following = createHistory(request, () => open, reload)
    open = 'second'
    await following.list()
    expect(asked[0]?.variables).toMatchObject({ id: 'second' })
  })

  it.each([
    ['a workflow', { workflow: null }],
    ['a version', { workflow: { atVersion: null } }],
  ])('says so where there is no such thing as %s', async (_, nothing) => {
    answer = nothing
    await expect(history.at(1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('going back', () => {
  const writes = [
    ['restores a version', () => history.restore(3), 'restoreVersion', { id: 'w', version: 3 }],
    ['takes a version back', () => history.undo(3), 'undo', { id: 'w', version: 3 }],
    [
      'closes a conflict',
      () => resolveConflict(request, 'c', 'THEIRS', reload),
      'resolveConflict',
      { id: 'c', take: 'THEIRS' },
    ],
  ] as const

  it.each(writes)('%s, then looks at what stands', async (_, write, mutation, variables) => {
    answer = { answer: ANSWER }
    reload.mockImplementation(() => expect(asked).toHaveLength(1))
    expect(await write()).toEqual({ version: 9, savedAt: ANSWER.savedAt })
    expect(reload).toHaveBeenCalledOnce()
    expect(asked[0]?.query).toContain(mutation)
    expect(asked[0]?.variables).toEqual(variables)
  })

  it('says why the server would not write', async () => {
    answer = { answer: { ...ANSWER, status: 'REJECTED', problems: [{ message: 'It is too large.' }] } }
    await expect(history.restore(1)).rejects.toThrow(new SyncError('REJECTED', 'It is too large.'))
  })

  it('names a version, without a look at what stands', async () => {
    await history.label(3, 'Release')
    expect(asked[0]?.variables).toEqual({ id: 'w', version: 3, label: 'Release' })
    expect(reload).not.toHaveBeenCalled()
  })
})
