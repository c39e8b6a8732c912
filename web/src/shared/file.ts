/** Files that come in and go out: workflows as JSON. */

import type { Document, Json } from 'workflow-sync'

export interface Imported {
  readonly name: string
  readonly document: Document
}

/** Read a workflow of any editor. Throws an Error that says what is wrong with the file. */
export async function readWorkflow(file: File): Promise<Imported> {
  const value = parse(await file.text(), file.name)
  const document = unwrapped(value)
  return { name: nameIn(value) ?? nameIn(document) ?? file.name.replace(/\.json$/i, ''), document }
}

function parse(text: string, name: string): Document {
  try {
    const value = JSON.parse(text) as Json
    if (isObject(value)) return value
  } catch {
    // the sentence below says it
  }
  throw new Error(`${name} is no workflow: it should hold a JSON object.`)
}

/** An export of Sim wraps the document that its editor works on. */
function unwrapped(value: Document): Document {
  const { state } = value
  return isObject(state) && isObject(state['blocks']) && 'exportedAt' in value ? state : value
}

function nameIn(value: Document): string | null {
  const { name, metadata } = value
  if (typeof name === 'string' && name) return name
  return isObject(metadata) ? nameIn(metadata) : null
}

function isObject(value: Json | undefined): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Hand a document to the browser as a file. */
export function download(name: string, document: Document): void {
  const blob = new Blob([JSON.stringify(document, null, 2)], { type: 'application/json' })
  const link = Object.assign(window.document.createElement('a'), {
    href: URL.createObjectURL(blob),
    download: fileName(name),
  })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 0)
}

function fileName(name: string): string {
  return `${name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'workflow'}.json`
}
