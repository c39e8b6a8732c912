/** What GraphiQL starts with: the visitor's own tabs of the last visit, or operations of ours to begin with. */

const files = import.meta.glob<string>('./operations/*', { query: '?raw', import: 'default', eager: true })

const NAMES = ['Sync', 'Read', 'List', 'Hear'] as const
const PLACEHOLDER = 'WORKFLOW_ID'
const STORED_TABS = 'graphiql:tabState' // where GraphiQL keeps the tabs

interface Tab {
  readonly query: string | null
  readonly variables: string | null
}

export interface Start {
  readonly defaultTabs: { query: string; variables: string }[]
  readonly initialQuery: string
  readonly initialVariables: string
}

/**
 * GraphiQL keeps the tabs and what stands in its editors apart, and makes a tab of any difference between the two; so
 * the editors are given what stands in the open tab.
 */
export function start(): Start {
  const defaultTabs = examples()
  const tab = storedTab() ?? defaultTabs[0]
  return { defaultTabs, initialQuery: tab?.query ?? '', initialVariables: tab?.variables ?? '' }
}

function storedTab(): Tab | undefined {
  const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem(STORED_TABS) ?? '{"tabs": []}') as {
    tabs: Tab[]
    activeTabIndex: number
  }
  return tabs[activeTabIndex]
}

/** All are about one new workflow, with an id of its own. */
function examples(): Start['defaultTabs'] {
  const id = `greeter-${crypto.getRandomValues(new Uint32Array(1)).join()}`
  return NAMES.map((name) => ({
    query: read(`${name}.graphql`),
    variables: read(`${name}.json`).replaceAll(PLACEHOLDER, id),
  }))
}

function read(file: string): string {
  const text = files[`./operations/${file}`]
  if (text === undefined) throw new Error(`There is no example ${file}`)
  return text.trimEnd()
}
