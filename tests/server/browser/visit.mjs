// A visit to this server's pages with a real browser: `node visit.mjs SCENARIO ADDRESS`, browser in CHROMIUM.
// It fails where the scenario does, and where the browser complained or turned to anybody but the server.

import { createRequire } from 'node:module'
import process from 'node:process'
import * as scenarios from './scenarios.mjs'

const { chromium } = createRequire(new URL('../../../web/package.json', import.meta.url))('playwright-core')
const PATIENCE_MS = 30_000 // for anything awaited on a page; machines that test are often busy

const [name, address] = process.argv.slice(2)
const scenario = scenarios[name]
if (scenario === undefined) throw new Error(`There is no scenario ${name}`)

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  chromiumSandbox: process.getuid?.() !== 0, // the sandbox refuses to run for root
  args: ['--disable-dev-shm-usage'],
})
try {
  const context = await browser.newContext({ baseURL: address })
  context.setDefaultTimeout(PATIENCE_MS)
  const complaints = listen(context)
  await scenario(context)
  const unexpected = complaints.filter((complaint) => !scenario.tolerated?.test(complaint))
  if (unexpected.length > 0) throw new Error(`The browser complained:\n${unexpected.join('\n')}`)
} finally {
  await browser.close()
}

function listen(context) {
  const complaints = []
  const { origin, host } = new URL(address)
  context.on('weberror', (event) => complaints.push(`uncaught: ${event.error().message}`))
  context.on('console', (message) => {
    // A violated Content-Security-Policy is reported as an error, too.
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.origin !== origin) complaints.push(`foreign request: ${url}`)
  })
  context.on('page', (page) => {
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== host) complaints.push(`foreign socket: ${socket.url()}`)
    })
  })
  return complaints
}
