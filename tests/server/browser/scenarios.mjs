// What people do on the pages; each is handed a browser of its own, as a Playwright context.

import assert from 'node:assert/strict'

const EXAMPLES = ['Sync', 'Read', 'List', 'Hear']

export async function openThePageForDevelopers(browser) {
  const page = await browser.newPage()
  await page.goto('/developers')
  await page.getByRole('status').getByText('Signed in as developer').waitFor()
  await page.getByText('workflow-sync token').waitFor()
  await page.getByRole('link', { name: 'Open GraphiQL' }).click()
  await ready(page)
}

export async function openThePageForDevelopersOnAPhone(browser) {
  const page = await browser.newPage()
  await page.setViewportSize({ width: 360, height: 740 })
  await page.goto('/developers')
  await page.getByText('workflow-sync token').waitFor()
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, 'the page scrolls sideways')
}

export async function openGraphiQL(browser) {
  const page = await graphiql(browser)
  assert.deepEqual(await tabs(page), EXAMPLES)
  await page.getByText('developer', { exact: true }).waitFor()
}

export async function openGraphiQLAsNobody(browser) {
  await browser.route('/development/token', (route) => route.fulfill({ status: 404 })) // as outside of development
  const page = await graphiql(browser)
  await page.getByText('Not signed in', { exact: true }).waitFor()
  await page.getByRole('status').getByText('operations answer UNAUTHENTICATED').waitFor()
  await open(page, 'List')
  await run(page)
  await answered(page, '"code": "UNAUTHENTICATED"')
  await open(page, 'Hear')
  await run(page)
  await answered(page, 'Socket closed with event 4401')
}
openGraphiQLAsNobody.tolerated = /status of 40[14]/

export async function readTheDocumentation(browser) {
  const page = await graphiql(browser)
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
  await page.getByRole('link', { name: 'Mutation', exact: true }).click()
  await page.getByRole('link', { name: 'syncWorkflow', exact: true }).waitFor()
}

export async function saveAndReadBack(browser) {
  const page = await graphiql(browser)
  await run(page)
  await answered(page, '"status": "CREATED"')
  await run(page)
  await answered(page, '"status": "UNCHANGED"')
  await open(page, 'Read')
  await page.getByRole('region', { name: 'Operation Editor' }).getByRole('textbox').press('Control+Enter')
  await answered(page, '"name": "Greeter"', '"version": 1')
  await open(page, 'List')
  await run(page)
  await answered(page, '"name": "Greeter"')
}

export async function hearOfASave(browser) {
  const page = await graphiql(browser)
  await run(page)
  await answered(page, '"status": "CREATED"')
  await open(page, 'Hear')
  await run(page)
  await answered(page, '"version": 1')

  const other = await graphiql(browser)
  await open(other, 'Sync')
  const variables = await read(other, 'variables')
  await write(other, 'variables', variables.replace('"daily"', '"weekly"'))
  await run(other)
  await answered(other, '"status": "SAVED"')
  await answered(page, '"version": 2', '"value": "weekly"')
}

export async function comeBack(browser) {
  const page = await graphiql(browser)
  await page.getByRole('button', { name: 'New tab' }).click()
  await write(page, 'operation', 'query Mine { viewer { id } }')
  await stored(page, 'tabState', 'query Mine')
  await stored(page, 'query', 'query Mine')
  await page.close()

  const again = await graphiql(browser)
  assert.deepEqual(await tabs(again), [...EXAMPLES, 'Mine'])
  await open(again, 'Read')
  await stored(again, 'query', 'query Read')
  await again.reload()
  await ready(again)
  assert.deepEqual(await tabs(again), [...EXAMPLES, 'Mine'])
}

export async function makeAMistake(browser) {
  const page = await graphiql(browser)
  await write(page, 'operation', 'query Mine { nothing }')
  await run(page)
  await answered(page, '"code": "BAD_USER_INPUT"')
  await write(page, 'operation', 'query Mine {')
  await run(page)
  await answered(page, 'Syntax Error', '"code": "BAD_USER_INPUT"')
}
makeAMistake.tolerated = /status of 400/

async function graphiql(browser) {
  const page = await browser.newPage()
  await page.goto('/graphql')
  await ready(page)
  return page
}

async function ready(page) {
  await page.getByRole('region', { name: 'Operation Editor' }).locator('.view-line').first().waitFor()
}

function tabs(page) {
  return page.getByRole('tab').allInnerTexts()
}

async function open(page, tab) {
  await page.getByRole('tab', { name: tab }).click()
  await page.getByRole('region', { name: 'Operation Editor' }).getByText(` ${tab}(`).waitFor()
}

async function run(page) {
  await page.getByRole('button', { name: 'Execute query' }).click()
}

async function answered(page, ...texts) {
  const answer = page.getByRole('region', { name: 'Result Window' })
  for (const text of texts) await answer.filter({ hasText: text }).waitFor()
}

// The editors draw only the lines in view, so their texts are read and written where they are kept.
function read(page, editor) {
  return page.evaluate((name) => {
    const models = globalThis.__MONACO.editor.getModels()
    return models.find(({ uri }) => uri.path.includes(name)).getValue()
  }, editor)
}

function write(page, editor, text) {
  return page.evaluate(
    ([name, value]) => {
      const models = globalThis.__MONACO.editor.getModels()
      models.find(({ uri }) => uri.path.includes(name)).setValue(value)
    },
    [editor, text],
  )
}

// GraphiQL writes down what it shows a moment later.
async function stored(page, key, text) {
  await page.waitForFunction(([name, part]) => localStorage.getItem(`graphiql:${name}`)?.includes(part), [key, text])
}
