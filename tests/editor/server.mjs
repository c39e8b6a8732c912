// What the server has, asked by a program of its own that is signed in as the person in a browser.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

const PATIENCE_MS = 30_000 // for what must become true in the end
const BETWEEN_MS = 50 // two questions

const TOKEN = '/development/token'
const STATE = 'query ($id: ID!) { workflow(id: $id) { version state } }'
const VERSIONS = `query ($id: ID!) { workflow(id: $id) { versions(first: 100) { edges { node {
  version savedBy clientId changes { path value }
} } } } }`
const SHARE = 'mutation ($id: ID!, $userId: ID!) { shareWorkflow(id: $id, userId: $userId, role: EDITOR) { id } }'

export class Server {
  #headers

  /** Listens to whom a page in `browser` signs in. */
  constructor(browser, address) {
    this.address = address
    browser.on('request', (request) => {
      if (request.url().endsWith(TOKEN)) this.user = request.postDataJSON().name
    })
  }

  async ask(query, variables = {}) {
    this.#headers ??= { Authorization: `Bearer ${(await this.#post(TOKEN, { name: this.user })).token}` }
    const { data, errors } = await this.#post('/graphql', { query, variables }, this.#headers)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }

  /** Ask, and again where the server is away, since it will be back. */
  async #post(path, body, headers = {}) {
    const all = { 'Content-Type': 'application/json', ...headers }
    const request = { method: 'POST', headers: all, body: JSON.stringify(body) }
    for (;;) {
      try {
        const response = await fetch(this.address + path, request)
        return await response.json()
      } catch {
        await pause(BETWEEN_MS)
      }
    }
  }

  async share(id, userId) {
    await this.ask(SHARE, { id, userId })
  }

  async state(id) {
    return (await this.ask(STATE, { id })).workflow?.state
  }

  /** Give the versions, newest first. */
  async versions(id) {
    const { workflow } = await this.ask(VERSIONS, { id })
    return workflow?.versions.edges.map(({ node }) => node) ?? []
  }

  async has(id, value) {
    return count(await this.state(id), value) > 0
  }

  /** Wait until the document has a value, and see that it came by one save alone and stands there once. */
  async hasOnce(id, value) {
    await until(() => this.has(id, value), `${id} has ${value}`)
    assert.equal(count(await this.state(id), value), 1, `${value} is there more than once`)
    const savedBy = (await this.versions(id)).filter(({ changes }) => count(changes, value) > 0)
    assert.equal(savedBy.length, 1, `${value} was saved by ${JSON.stringify(savedBy)}`)
  }

  /** Say whether all these values are in the document, or were. */
  async everHad(id, values) {
    const known = [await this.state(id), await this.versions(id)]
    return values.every((value) => count(known, value) > 0)
  }
}

/** Wait until something is true, asking again and again. */
export async function until(fact, what) {
  const end = Date.now() + PATIENCE_MS
  while (!(await fact())) {
    assert(Date.now() < end, `In the end it is not so that ${what}`)
    await pause(BETWEEN_MS)
  }
}

/** Count how often a text is a value, anywhere in a value. */
export function count(within, value) {
  if (within === value) return 1
  if (typeof within !== 'object' || within === null) return 0
  return Object.values(within).reduce((sum, inner) => sum + count(inner, value), 0)
}
