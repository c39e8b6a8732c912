// Takes the pictures of the README: `node web/pictures/take.mjs [ADDRESS]`, with `make run` under way and CHROMIUM
// naming a browser where it is not in its usual place.

import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const ADDRESS = process.argv[2] ?? 'http://127.0.0.1:8000'
const SIZE = { width: 1280, height: 760 }
const ANN = { id: 'guest-heron-5c01d2', name: 'Ann' }
const BOB = { id: 'guest-otter-7f3a21', name: 'Bob' }

const SAVE = 'mutation($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }'
const SHARE = 'mutation($id: ID!, $userId: ID!) { shareWorkflow(id: $id, userId: $userId, role: EDITOR) { id } }'
const LABEL = 'mutation($id: ID!) { labelVersion(id: $id, version: 2, label: "Sent to the team") { version } }'

const block = (id, type, name, x, y, fields) => {
  const shown = ([key, value]) => [key, { id: key, type: 'short-input', value }]
  const subBlocks = Object.fromEntries(Object.entries(fields).map(shown))
  return { id, type, name, position: { x, y }, enabled: true, subBlocks, outputs: {} }
}

const BLOCKS = [
  block('start', 'starter', 'New ticket', 0, 160, { startWorkflow: 'webhook' }),
  block('triage', 'agent', 'Triage', 320, 160, {
    model: 'small',
    systemPrompt: 'How urgent is it, and who should know?',
  }),
  block('urgent', 'condition', 'Urgent?', 640, 160, { conditions: 'triage.urgency > 7' }),
  block('page', 'slack', 'Page on call', 960, 20, { channel: '#on-call' }),
  block('draft', 'agent', 'Draft a reply', 960, 300, { model: 'large', systemPrompt: 'Kind, short, and right.' }),
  block('send', 'gmail', 'Send it', 1280, 300, { to: 'triage.sender' }),
]
const EDGES = [
  ['start', 'triage'],
  ['triage', 'urgent'],
  ['urgent', 'page'],
  ['urgent', 'draft'],
  ['draft', 'send'],
]
const DOCUMENT = {
  blocks: Object.fromEntries(BLOCKS.map((each) => [each.id, each])),
  edges: EDGES.map(([source, target]) => ({ id: `${source}-${target}`, source, target })),
  loops: {},
  parallels: {},
}

/** What somebody asks the server, as a program of theirs would. */
async function signedIn({ id }) {
  const post = async (path, body, signature) => {
    const headers = { 'Content-Type': 'application/json', ...signature }
    const response = await fetch(ADDRESS + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return response.json()
  }
  const { token } = await post('/development/token', { name: id })
  return async (query, variables) => {
    const { data, errors } = await post('/graphql', { query, variables }, { Authorization: `Bearer ${token}` })
    if (errors) throw new Error(errors[0].message)
    return data
  }
}

async function opened(browser, guest, id, options) {
  const context = await browser.newContext({ viewport: SIZE, ...options })
  await context.addInitScript((kept) => localStorage.setItem('workflow-sync:guest', kept), JSON.stringify(guest))
  const page = await context.newPage()
  await page.goto(`${ADDRESS}/#/w/${id}`)
  await page.getByText('Draft a reply').first().waitFor()
  return page
}

async function picture(page, name) {
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)))
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, import.meta.url)) })
}

const id = randomUUID()
const [ann, bob] = await Promise.all([signedIn(ANN), signedIn(BOB)])
const save = (who, clientId, changes, baseVersion) => who(SAVE, { input: { id, changes, baseVersion, clientId } })
const prompt = (value) => [{ path: ['blocks', 'draft', 'subBlocks', 'systemPrompt', 'value'], value }]

await ann(SAVE, { input: { id, state: DOCUMENT, name: 'Answer support tickets', clientId: 'picture-ann' } })
await save(
  ann,
  'picture-ann',
  [{ path: ['blocks', 'page', 'subBlocks', 'channel', 'value'], value: '#support-on-call' }],
  1,
)
await ann(LABEL, { id })
await ann(SHARE, { id, userId: BOB.id })
await save(bob, 'picture-bob', prompt('Kind and short. Never promise a date.'), 2)
await save(ann, 'picture-ann', prompt('Kind, short, and with the link to the guide.'), 2)

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: process.getuid?.() !== 0, // the sandbox refuses to run for root
})
const there = await opened(browser, BOB, id)
await there.getByText('Triage', { exact: true }).first().click()
const light = await opened(browser, ANN, id)
await light.getByText('Draft a reply').first().click()
await light.getByRole('button', { name: 'Fit View' }).click()
await light.getByText('Bob').first().waitFor()
await picture(light, 'editor')
await light.close()

const dark = await opened(browser, ANN, id, { colorScheme: 'dark' })
await dark.getByRole('button', { name: '1 conflict' }).click()
await dark.getByRole('button', { name: 'Fit View' }).click()
await dark.getByText('Never promise a date.').waitFor()
await picture(dark, 'conflict')
await browser.close()
