// A visit to the pages with a real browser: `node visit.mjs SCENARIOS NAME ADDRESS GIVEN`, browser in CHROMIUM.
// It fails where the scenario does, and where the browser complained or turned to anybody but the server.
// What only the caller can do is asked for by a line `ask WHAT` on stdout, and answered by a line on stdin.

import process from 'node:process'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { chromium, OPTIONS } from './chromium.mjs'

const PATIENCE_MS = 30_000 // for anything awaited on a page; machines that test are often busy

const [scenarios, name, address, given] = process.argv.slice(2)
const scenario = (await import(pathToFileURL(scenarios)))[name]
if (scenario === undefined) throw new Error(`There is no scenario ${name}`)

const complaints = []
const lines = createInterface({ input: process.stdin })
const answers = lines[Symbol.asyncIterator]()
const browser = await chromium.launch(OPTIONS)
try {
  await scenario(await another(), { address, given: JSON.parse(given), ask, another })
  const unexpected = complaints.filter((complaint) => !scenario.tolerated?.test(complaint))
  if (unexpected.length > 0) throw new Error(`The browser complained:\n${unexpected.join('\n')}`)
} finally {
  await browser.close()
  lines.close()
}

/** Give a browser of its own, as a Playwright context, to somebody else. */
async function another(options) {
  const context = await browser.newContext({ baseURL: address, ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  listen(context, new URL(options?.baseURL ?? address))
  return context
}

async function ask(what) {
  process.stdout.write(`ask ${what}\n`)
  return (await answers.next()).value
}

function listen(context, { origin, host }) {
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
}
