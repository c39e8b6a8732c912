// Several tabs and several people on one workflow, at once.

import assert from 'node:assert/strict'
import { Person } from './editor.mjs'
import { until } from './server.mjs'

const EDITS = 15

export async function openTwoTabs(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const one = await person.open()
  await one.addBlock('first')
  await one.says('Saved')
  const other = await person.open(one.id)
  await Promise.all([one.addBlock('here'), other.addBlock('there')])
  await agree([one, other], person.server, ['first', 'here', 'there'])
  await person.witness.verify()
}

export async function watchSomebodyEdit(browser, visit) {
  const { ann, ben } = await meet(browser, visit)
  const field = ann.panel.getByLabel('Name', { exact: true })
  await ann.page.evaluate(() => addEventListener('input', () => (globalThis.editedAt = Date.now()), true))
  const delays = []
  for (let edit = 1; edit <= EDITS; edit++) {
    const seen = ben.page.evaluate(seeing, `edit ${edit}`)
    await field.fill(`edit ${edit}`)
    delays.push((await seen) - (await ann.page.evaluate(() => globalThis.editedAt)))
    await ann.says('Saved')
  }
  delays.sort((a, b) => a - b)
  console.log(`An edit is on the other screen after ${delays[(EDITS - 1) / 2]} ms in the median (${delays.join(', ')})`)
}

/** Runs in the page: gives the time, in milliseconds since 1970, at which a text appears. */
function seeing(text) {
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => document.body.innerText.includes(text) && resolve(Date.now()))
    observer.observe(document.body, { subtree: true, childList: true, characterData: true })
  })
}

export async function typeAtOnce(browser, visit) {
  const { ann, ben, people } = await meet(browser, visit)
  await Promise.all([ann.addBlock("Ann's"), ben.addBlock("Ben's")])
  await Promise.all([ann, ben].map((editor) => editor.block("Ann's").waitFor()))
  const texts = ['what Ann thinks about it, at some length', 'what Ben thinks about it, at some length']
  await Promise.all([ann.write('Description', texts[0]), ben.write('Description', texts[1])])
  await agree([ann, ben], people[0].server, ["Ann's", "Ben's"])
  for (const text of texts) await until(() => people[0].server.has(ann.id, text), `${text} was saved`)
  for (const { witness } of people) await witness.verify()
}

export async function disagree(browser, visit) {
  const { ann, ben, people } = await meet(browser, visit)
  await ben.block('shared').click()
  await ann.page.route('/graphql', (route) => route.abort()) // she still hears of others
  await ann.paste('Description', 'as Ann likes it')
  await ben.paste('Description', 'as Ben likes it')
  await ben.says('Saved')
  await ann.says('Saved on this device')
  await ann.page.unroute('/graphql')
  await people[0].server.hasOnce(ann.id, 'as Ann likes it')
  for (const { page } of [ann, ben]) {
    await page.getByRole('button', { name: '1 conflict' }).click()
    await page.getByRole('complementary', { name: 'Conflicts' }).getByText('as Ben likes it').waitFor()
  }
  await ben.page.getByRole('button', { name: 'Take mine' }).click()
  await until(() => people[1].server.has(ann.id, 'as Ben likes it'), 'it was taken')
  for (const { page } of [ann, ben]) await page.getByRole('button', { name: '1 conflict' }).waitFor({ state: 'hidden' })
  for (const { witness } of people) await witness.verify()
}
disagree.tolerated = /ERR_FAILED/

/** Let two people open one workflow. */
async function meet(browser, visit) {
  const people = [await Person.of(browser, visit.address), await Person.of(await visit.another(), visit.address)]
  const ann = await people[0].open()
  await ann.addBlock('shared')
  await ann.says('Saved')
  await people[0].server.share(ann.id, await people[1].visitTheList())
  const ben = await people[1].open(ann.id)
  return { ann, ben, people }
}

async function agree(editors, server, names) {
  for (const name of names) {
    for (const editor of editors) await editor.block(name).waitFor()
    await server.hasOnce(editors[0].id, name)
  }
  for (const editor of editors) await editor.says('Saved')
}
