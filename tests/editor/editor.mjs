// The live editor in a tab, and whoever uses it.

import { basename } from 'node:path'
import { readFileSync } from 'node:fs'
import { Server } from './server.mjs'
import { Wire } from './wire.mjs'
import { watch } from './witness.mjs'

/** Somebody with a browser. */
export class Person {
  static async of(browser, address) {
    const server = new Server(browser, address)
    const witness = await watch(browser, (id, values) => server.everHad(id, values))
    return new Person(browser, server, witness)
  }

  /** Somebody whose way to the server can be cut. */
  static async behindAWire(visit) {
    const wire = await Wire.to(visit.address)
    const person = await Person.of(await visit.another({ baseURL: wire.address }), visit.address)
    return { wire, person }
  }

  constructor(browser, server, witness) {
    Object.assign(this, { browser, server, witness })
  }

  /** Visit the list of workflows, and give the id that others share with. */
  async visitTheList() {
    const page = await this.browser.newPage()
    await page.goto('/')
    await page.getByRole('heading', { name: 'Workflows' }).waitFor()
    return this.server.user
  }

  /** Open a tab with a workflow: the one of an id, or a new one. */
  async open(id) {
    const editor = new Editor(await this.browser.newPage())
    await editor.load(id)
    return editor
  }
}

export class Editor {
  constructor(page) {
    this.page = page
    page.on('dialog', (dialog) => dialog.accept()) // one leaves, whatever is unsaved
    this.panel = page.getByRole('complementary', { name: 'Block', exact: true })
    this.indicator = page.getByRole('status', { name: 'Saving' })
  }

  async load(id) {
    await this.page.goto(id ? `/#/w/${id}` : '/#/new')
    await this.ready()
  }

  async ready() {
    await this.page.getByRole('button', { name: 'Add block' }).waitFor()
    this.id = /#\/w\/([^?]+)/.exec(this.page.url())[1]
  }

  /** A block on the canvas. */
  block(name) {
    return this.page.getByRole('group', { name: `${name}, Function`, exact: true })
  }

  /** Add a block, by the name that the editor gives it; it is selected. */
  async add() {
    await this.page.getByRole('button', { name: 'Add block' }).click()
    await this.page.getByRole('menuitem', { name: 'Function' }).click()
  }

  async addBlock(name) {
    await this.add()
    await this.write('Name', name)
  }

  /** Write over a field of the block that is selected, key by key. */
  async write(label, text) {
    const field = this.panel.getByLabel(label, { exact: true })
    await field.press('ControlOrMeta+A')
    await field.pressSequentially(text)
  }

  /** Write over a field in one go, as by pasting. */
  async paste(label, text) {
    await this.panel.getByLabel(label, { exact: true }).fill(text)
  }

  async says(text) {
    await this.indicator.getByText(text, { exact: true }).waitFor()
  }

  /** Everything that the indicator has said, in turn. */
  said() {
    return this.page.evaluate(() => globalThis.indicated)
  }

  /** Resolves when the page begins to send a save. */
  saves() {
    return this.page.waitForRequest((request) => request.postData()?.includes('syncWorkflow'))
  }

  async drop(file) {
    const given = { name: basename(file), text: readFileSync(file, 'utf8') }
    await this.page.evaluate(({ name, text }) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([text], name, { type: 'application/json' }))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    }, given)
  }

  /** Kill the page as running out of memory does. */
  async crash() {
    const crashed = this.page.waitForEvent('crash')
    const devtools = await this.page.context().newCDPSession(this.page)
    devtools.send('Page.crash').catch(() => {}) // nobody is left to answer
    await crashed
    await this.page.close()
  }

  /** Close the tab as people do, whatever it asks them. */
  async close() {
    const closed = this.page.waitForEvent('close')
    await this.page.close({ runBeforeUnload: true })
    await closed
  }
}
