// What a browser keeps on the disk, for one browser after the other.

import process from 'node:process'
import { chromium, OPTIONS } from '../browser/chromium.mjs'

export class Profile {
  constructor(folder, baseURL) {
    Object.assign(this, { folder, baseURL })
  }

  /** Start the browser, and give it as a Playwright context. */
  async open() {
    this.context = await chromium.launchPersistentContext(this.folder, { ...OPTIONS, baseURL: this.baseURL })
    return this.context
  }

  close() {
    return this.context.close()
  }

  /** Kill every process of the browser, as a computer does that loses its power. */
  async kill() {
    const devtools = await this.context.browser().newBrowserCDPSession()
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
    const closed = this.context.waitForEvent('close')
    for (const { id } of processInfo) process.kill(id, 'SIGKILL')
    await closed
  }
}
