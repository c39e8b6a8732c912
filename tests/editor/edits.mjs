// What people do in the editor, by pointer, by keyboard and on a phone.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Person } from './editor.mjs'
import { until } from './server.mjs'

const PHONE = { width: 360, height: 740 }
const MOST_PRESSES = 60 // of a key, on the way to anything

export async function undoAndRedo(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.addBlock('Thinker')
  await editor.write('Description', 'second thoughts')
  await until(() => person.server.has(editor.id, 'second thoughts'), 'it was saved')
  await editor.page.getByRole('button', { name: 'Undo' }).click()
  await until(async () => !(await person.server.has(editor.id, 'second thoughts')), 'it was taken back')
  await editor.page.getByRole('button', { name: 'Redo' }).click()
  await until(() => person.server.has(editor.id, 'second thoughts'), 'it was done again')
  await editor.page.keyboard.press('ControlOrMeta+Z')
  await until(async () => !(await person.server.has(editor.id, 'second thoughts')), 'it was taken back by keys')
  await person.server.hasOnce(editor.id, 'Thinker')
  await editor.says('Saved')
  await person.witness.verify()
}

export async function dropAndExport(browser, visit) {
  const document = JSON.parse(readFileSync(visit.given.file, 'utf8'))
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  await editor.drop(visit.given.file)
  await editor.page.locator('.block').first().waitFor()
  await editor.says('Saved')
  assert.deepEqual(await person.server.state(editor.id), document)

  await editor.page.getByRole('button', { name: 'More' }).click()
  const downloaded = editor.page.waitForEvent('download')
  await editor.page.getByRole('menuitem', { name: 'Export' }).click()
  assert.deepEqual(JSON.parse(readFileSync(await (await downloaded).path(), 'utf8')), document)
}

export async function useAPhone(browser, visit) {
  const phone = await visit.another({ viewport: PHONE, hasTouch: true, isMobile: true })
  const person = await Person.of(phone, visit.address)
  const editor = await person.open()
  await fits(editor.page)
  await editor.addBlock('by thumb')
  await fits(editor.page)
  await person.server.hasOnce(editor.id, 'by thumb')
  await editor.page.getByRole('button', { name: 'Close block' }).click()
  await editor.page.getByRole('button', { name: 'History' }).click()
  await editor.page.getByRole('complementary', { name: 'History' }).getByRole('button').first().waitFor()
  await fits(editor.page)
  await editor.page.getByRole('link', { name: 'All workflows' }).click()
  await editor.page.getByRole('link', { name: 'Untitled workflow' }).first().waitFor()
  await fits(editor.page)
}

async function fits(page) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  assert.equal(width, PHONE.width, 'the page scrolls sideways')
}

export async function useTheKeyboard(browser, visit) {
  const person = await Person.of(browser, visit.address)
  const editor = await person.open()
  const { page, panel } = editor
  const { keyboard } = page
  for (const name of ['One', 'Other']) {
    await keyboard.press('a')
    await focus(page.getByRole('menuitem', { name: 'Function' }), 'ArrowDown')
    await keyboard.press('Enter')
    await focus(panel.getByLabel('Name', { exact: true }), 'Tab')
    await keyboard.type(name)
    await keyboard.press('Escape')
  }
  await focus(page.getByRole('group', { name: 'One, Function' }), 'Tab')
  await keyboard.press('Enter')
  await focus(panel.getByLabel('Description'), 'Tab')
  await keyboard.type('edited')
  await focus(panel.getByLabel('Connect to'), 'Tab')
  await keyboard.press('ArrowDown')
  await panel.getByRole('button', { name: 'Disconnect Other' }).waitFor()
  await editor.says('Saved')
  await person.server.hasOnce(editor.id, 'edited')
  const { blocks, edges } = await person.server.state(editor.id)
  const titles = edges.map(({ source, target }) => [blocks[source].name, blocks[target].name])
  assert.deepEqual(titles, [['One', 'Other']])
  await person.witness.verify()
}

/** Press a key until something has the focus. */
async function focus(locator, key) {
  const hasFocus = () => locator.evaluate((element) => element === document.activeElement)
  await locator.waitFor()
  for (let presses = 0; !(await hasFocus()); presses++) {
    assert(presses < MOST_PRESSES, `${locator} is out of reach of the keyboard`)
    await locator.page().keyboard.press(key)
  }
}
