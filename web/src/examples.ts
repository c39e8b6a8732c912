/** The operations that are ready in GraphiQL's tabs, all about one workflow of the visitor's own. */

const files = import.meta.glob<string>('./operations/*', { query: '?raw', import: 'default', eager: true })

const NAMES = ['Sync', 'Read', 'List', 'Hear'] as const
const STORED_TABS = 'graphiql:tabState' // where GraphiQL keeps the tabs between visits
const PLACEHOLDER = 'WORKFLOW_ID'

export interface Example {
  readonly query: string
  readonly variables: string
}

export function examples(): [Example, ...Example[]] {
  const id = `greeter-${crypto.getRandomValues(new Uint32Array(1))[0]}`
  const [first, ...others] = NAMES.map((name) => ({
    query: read(`${name}.graphql`),
    variables: read(`${name}.json`).replaceAll(PLACEHOLDER, id),
  }))
  if (first === undefined) throw new Error('There is no example')
  return [first, ...others]
}

export function isFirstVisit(): boolean {
  return localStorage.getItem(STORED_TABS) === null
}

function read(file: string): string {
  const text = files[`./operations/${file}`]
  if (text === undefined) throw new Error(`There is no example ${file}`)
  return text.trimEnd()
}
