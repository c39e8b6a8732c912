// People leave, in every way and at every moment after they have typed, and find everything again.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Editor, Person } from './editor.mjs'
import { Profile } from './profile.mjs'
import { until } from './server.mjs'
import { Wire } from './wire.mjs'

const MOMENTS_MS = [0, 10, 100, 500] // after the last key

export const closeTheTab = (browser, visit) => leave(visit, (editor) => editor.close())

export const goElsewhere = (browser, visit) =>
  leave(visit, ({ page }) => page.evaluate(() => location.assign('/developers')))

export const goToTheListAndCloseTheTab = (browser, visit) =>
  leave(visit, async (editor) => {
    await editor.page.getByRole('link', { name: 'All workflows' }).click()
    await editor.close()
  })

export const crash = (browser, visit) =>
  leave(visit, async (editor, person) => {
    await editor.crash()
    await person.open(editor.id) // only another page can save what a crash has left
  })

async function leave(visit, away) {
  for (const moment of MOMENTS_MS) {
    const person = await Person.of(await visit.another(), visit.address)
    await person.browser.addInitScript(() => delete globalThis.fetchLater) // few browsers have it
    const editor = await person.open()
    await editor.addBlock('saved before')
    await editor.says('Saved')
    await editor.addBlock(`left after ${moment} ms`)
    await pause(moment)
    await away(editor, person)
    await person.server.hasOnce(editor.id, `left after ${moment} ms`)
    await person.witness.verify()
    await person.browser.close()
  }
}

export async function crashAlone(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('saved before')
  await editor.says('Saved')
  await editor.addBlock('left to the browser')
  await editor.crash()
  await person.server.hasOnce(editor.id, 'left to the browser')
  await (await person.open(editor.id)).block('left to the browser').waitFor()
  await person.server.hasOnce(editor.id, 'left to the browser')
}

export async function killTheBrowser(browser, visit) {
  const wire = await Wire.to(visit.address)
  const profile = new Profile(visit.given.profile, wire.address)
  await (await Person.of(await profile.open(), visit.address)).visitTheList()
  await profile.close() // so that it is known who this is
  const person = await Person.of(await profile.open(), visit.address)
  const editor = await person.open()
  await editor.addBlock('saved before')
  await editor.says('Saved')
  wire.cut()
  await editor.addBlock('on the device alone')
  await editor.says('Saved on this device')
  await copied(editor, 'on the device alone')
  await profile.kill()
  wire.mend()
  const again = await Person.of(await profile.open(), visit.address)
  await (await again.open(editor.id)).block('on the device alone').waitFor()
  await again.server.hasOnce(editor.id, 'on the device alone')
  await profile.close()
  wire.close()
}

const copied = ({ page }, text) => until(() => page.evaluate(isCopied, text), `IndexedDB has ${text}, too`)

/** Says, in a page, whether the copy of its outbox holds a text. */
const isCopied = (text) =>
  new Promise((resolve) => {
    const opening = indexedDB.open('workflow-sync')
    opening.onsuccess = () => {
      const reading = opening.result.transaction('outbox').objectStore('outbox').getAll()
      reading.onsuccess = () => {
        opening.result.close()
        resolve(reading.result.join().includes(text))
      }
    }
  })

export async function closeANewWorkflow(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('never saved before')
  await editor.close()
  await person.server.hasOnce(editor.id, 'never saved before')
}

export async function closeALargeDocument(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  const sent = editor.saves()
  await editor.drop(visit.given.file)
  await sent
  await editor.close()
  await arrives(person, editor.id, visit.given.file)
}

export async function crashWithALargeDocument(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.drop(visit.given.file)
  await editor.page.locator('.block').first().waitFor()
  await editor.crash()
  await (await person.open(editor.id)).says('Saved')
  await arrives(person, editor.id, visit.given.file)
  await person.witness.verify()
}

async function arrives({ server }, id, file) {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  await until(async () => isDeepStrictEqual(await server.state(id), document), 'the document arrived')
  assert.equal((await server.versions(id)).length, 1)
}

export async function leaveUnsentWorkToAnotherTab(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  const [one, other] = [await person.open(), await person.open()]
  wire.cut()
  await one.addBlock('unsent')
  await one.close()
  wire.mend()
  await person.server.hasOnce(one.id, 'unsent')
  wire.close()
}
leaveUnsentWorkToAnotherTab.tolerated = /ERR_|WebSocket/

export async function leaveUnsentWorkToTheList(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  await person.visitTheList()
  const editor = await person.open()
  await editor.addBlock('sent')
  await editor.says('Saved')
  wire.cut()
  await editor.addBlock('unsent')
  await editor.close()
  wire.mend()
  await person.server.hasOnce(editor.id, 'unsent')
  wire.close()
}
leaveUnsentWorkToTheList.tolerated = /ERR_|WebSocket/

export async function leaveUnsentWorkToATabOfTheSameWorkflow(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  const one = await person.open()
  await one.addBlock('sent')
  await one.says('Saved')
  const other = await person.open(one.id)
  wire.cut()
  await one.addBlock('unsent')
  await other.addBlock('unsent, too')
  await one.crash()
  wire.mend()
  for (const name of ['unsent', 'unsent, too']) {
    await person.server.hasOnce(one.id, name)
    await other.block(name).waitFor()
  }
  await other.says('Saved')
  await person.witness.verify()
  wire.close()
}
leaveUnsentWorkToATabOfTheSameWorkflow.tolerated = /ERR_|WebSocket/

export async function duplicateTheTab(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const one = await person.open()
  await one.addBlock('of both')
  await one.says('Saved')
  const opened = browser.waitForEvent('page')
  await one.page.evaluate(() => void open(location.href)) // what a tab remembers is cloned then, too
  const other = new Editor(await opened)
  await other.ready()
  await Promise.all([one.addBlock('of the first'), other.addBlock('of its duplicate')])
  for (const name of ['of both', 'of the first', 'of its duplicate']) {
    await person.server.hasOnce(one.id, name)
    await Promise.all([one, other].map((editor) => editor.block(name).waitFor()))
  }
  const clients = (await person.server.versions(one.id)).map(({ clientId }) => clientId)
  assert.equal(new Set(clients).size, 2)
  await person.witness.verify()
}

export async function comeBack(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('typed before')
  await goAndComeBack(editor, () => person.server.hasOnce(editor.id, 'typed before'))
  await editor.addBlock('typed after')
  await person.server.hasOnce(editor.id, 'typed after')
  await editor.says('Saved')
  const other = await person.open(editor.id)
  await other.addBlock('typed elsewhere')
  await editor.block('typed elsewhere').waitFor()
  await person.witness.verify()
}

export async function comeBackTooLate(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('saved')
  await editor.says('Saved')
  const isSave = (request) => request.postData()?.includes('syncWorkflow')
  await editor.page.route('/graphql', (route) => (isSave(route.request()) ? route.abort() : route.continue()))
  await editor.addBlock('left behind')
  await copied(editor, 'left behind') // no page is kept that is in the way of others in IndexedDB
  await goAndComeBack(editor, async () => {
    await editor.page.unroute('/graphql')
    await person.open(editor.id)
    await person.server.hasOnce(editor.id, 'left behind')
  })
  await editor.says('Saved')
  await editor.addBlock('typed after')
  await person.server.hasOnce(editor.id, 'typed after')
  await person.server.hasOnce(editor.id, 'left behind')
  await person.witness.verify()
}
comeBackTooLate.tolerated = /ERR_FAILED/

/** Go to another page and back to this one, which the browser has kept as it was. */
async function goAndComeBack({ page }, meanwhile) {
  await page.evaluate(() => addEventListener('pageshow', ({ persisted }) => (globalThis.wasKept = persisted)))
  await page.goto('/developers')
  await meanwhile()
  await page.goBack({ waitUntil: 'commit' })
  assert(await page.evaluate(() => globalThis.wasKept), 'the browser did not keep the page')
}
