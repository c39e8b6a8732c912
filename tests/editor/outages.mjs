// Something that saving needs is away for a while; what was typed meanwhile is saved once that is back.

import assert from 'node:assert/strict'
import { Person } from './editor.mjs'
import { until } from './server.mjs'

const MINUTE_MS = 60_000
const TOKEN = '/development/token'

export async function killTheServerInMidSave(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  for (const round of [1, 2]) {
    const sent = editor.saves()
    await editor.addBlock(`typed before ${round}`)
    await sent
    await visit.ask('kill')
    await editor.addBlock(`typed meanwhile ${round}`)
    await editor.says('Saved on this device')
    await visit.ask('start')
    await editor.says('Saved')
    await person.server.hasOnce(editor.id, `typed before ${round}`)
    await person.server.hasOnce(editor.id, `typed meanwhile ${round}`)
  }
  await person.witness.verify()
}
killTheServerInMidSave.tolerated = /ERR_|WebSocket/

export async function loseAnAnswerAndThePage(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  const editor = await person.open()
  await editor.addBlock('answered')
  await editor.says('Saved')
  wire.silence()
  await editor.paste('Description', 'unanswered')
  await person.server.hasOnce(editor.id, 'unanswered')
  await editor.addBlock('typed meanwhile')
  await editor.crash()
  wire.mend()
  const again = await person.open(editor.id)
  await again.block('typed meanwhile').waitFor()
  await again.says('Saved')
  for (const text of ['answered', 'unanswered', 'typed meanwhile']) await person.server.hasOnce(editor.id, text)
  await person.witness.verify()
  wire.close()
}
loseAnAnswerAndThePage.tolerated = /ERR_|WebSocket/

export async function goOfflineForAMinute(browser, visit) {
  const person = await Person.of(browser, visit.address)
  await browser.clock.install()
  const editor = await person.open()
  await editor.addBlock('typed online')
  await editor.says('Saved')
  await browser.setOffline(true)
  await editor.addBlock('typed offline')
  await editor.says('Saved on this device')
  await browser.clock.runFor(MINUTE_MS)
  await editor.addBlock('typed after a minute')
  await editor.says('Saved on this device')
  await browser.setOffline(false)
  await editor.says('Saved')
  for (const when of ['online', 'offline', 'after a minute']) await person.server.hasOnce(editor.id, `typed ${when}`)
  await person.witness.verify()
}
goOfflineForAMinute.tolerated = /ERR_|WebSocket/

export async function endTheToken(browser, visit) {
  const { address, another, given } = visit
  const localStorage = [{ name: 'workflow-sync:guest', value: JSON.stringify(given.guest) }]
  const signedIn = await another({ storageState: { origins: [{ origin: address, localStorage }] } })
  const person = await Person.of(signedIn, address)
  await signedIn.route(TOKEN, (route) => route.fulfill({ json: { token: given.token } }), { times: 1 })
  const editor = await person.open()
  await until(() => isRefused(address, given.token), 'the token has ended')
  await editor.addBlock('typed after the end')
  await editor.says('Saved')
  await person.server.hasOnce(editor.id, 'typed after the end')
  const other = await person.open(editor.id)
  await other.addBlock('typed elsewhere')
  await editor.block('typed elsewhere').waitFor()
  await person.witness.verify()
}
endTheToken.tolerated = /status of 401/

async function isRefused(address, token) {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }
  const request = { method: 'POST', headers, body: '{"query": "{ viewer { id } }"}' }
  return (await fetch(`${address}/graphql`, request)).status === 401
}

export async function signOut(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  const { page } = editor
  const sent = editor.saves()
  await editor.addBlock('typed signed in')
  const { authorization: first } = (await sent).headers()
  await page.route('/graphql', (route) => {
    const { authorization, ...headers } = route.request().headers()
    const isOver = authorization === first
    return route.continue({ headers: { ...headers, authorization: isOver ? 'Bearer over' : authorization } })
  })
  await page.route(TOKEN, (route) => route.fulfill({ status: 404 })) // as where nobody is signed in
  await editor.addBlock('typed signed out')
  await editor.says('Saved on this device')
  await page.unroute(TOKEN)
  await editor.says('Saved')
  for (const when of ['in', 'out']) await person.server.hasOnce(editor.id, `typed signed ${when}`)
  await person.witness.verify()
}
signOut.tolerated = /status of 40[14]/

export async function fillTheStorage(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  const editor = await person.open()
  await editor.addBlock('typed with room')
  await editor.says('Saved')
  await editor.page.evaluate(fill)
  wire.cut()
  await editor.addBlock('typed without room')
  await editor.says('Saved on this device')
  await editor.crash()
  wire.mend()
  await (await person.open(editor.id)).says('Saved')
  await person.server.hasOnce(editor.id, 'typed without room')
  await person.witness.verify()
  wire.close()
}
fillTheStorage.tolerated = /ERR_|WebSocket/

/** Runs in the page: leaves no room in localStorage. */
function fill() {
  for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) localStorage.setItem(Math.random(), 'x'.repeat(size))
    } catch {}
  }
}

export async function breakTheStorage(browser, visit) {
  const { wire, person } = await Person.behindAWire(visit)
  await person.browser.addInitScript(refuse)
  const editor = await person.open()
  await editor.addBlock('typed online')
  await editor.says('Saved')
  wire.cut()
  await editor.addBlock('typed offline')
  await editor.says('Not saved')
  editor.page.removeAllListeners('dialog')
  const asked = editor.page.waitForEvent('dialog')
  await editor.page.close({ runBeforeUnload: true })
  await (await asked).dismiss() // one stays then
  wire.mend()
  await editor.says('Saved')
  await person.server.hasOnce(editor.id, 'typed offline')
  await person.witness.verify()
  wire.close()
}
breakTheStorage.tolerated = /ERR_|WebSocket/

/** Runs in the page: nothing can be kept, nor read. */
function refuse() {
  const no = () => {
    throw new DOMException('no', 'SecurityError')
  }
  Object.assign(Storage.prototype, { getItem: no, setItem: no, removeItem: no, key: no })
  indexedDB.constructor.prototype.open = no
}
