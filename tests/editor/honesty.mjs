// The save indicator says what is true while an answer is on its way.

import assert from 'node:assert/strict'
import { Person } from './editor.mjs'

export async function holdTheAnswer(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('answered')
  await editor.says('Saved')

  const held = await hold(editor.page)
  const before = await editor.said()
  await editor.paste('Description', 'unanswered')
  await held.arrived
  await person.server.hasOnce(editor.id, 'unanswered') // as the page cannot know
  assert.deepEqual((await editor.said()).slice(before.length), ['Saving...'])
  held.release()
  await editor.says('Saved')
  await person.witness.verify()
}

/** Hold back what the server answers to saves, from now on. */
async function hold(page) {
  const { promise: arrived, resolve: arrive } = withResolvers()
  const { promise: released, resolve: release } = withResolvers()
  await page.route('/graphql', async (route) => {
    if (!route.request().postData().includes('syncWorkflow')) return route.continue()
    const response = await route.fetch()
    arrive()
    await released
    await route.fulfill({ response })
  })
  return { arrived, release }
}

function withResolvers() {
  let resolve
  const promise = new Promise((done) => (resolve = done))
  return { promise, resolve }
}
