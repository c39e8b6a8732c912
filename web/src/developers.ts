/** The page for developers: shows who one is, and makes its examples fit for this server and for copying. */

import { type Session, signIn } from './session'

const WRITTEN_ORIGIN = 'http://127.0.0.1:8000' // as in the page; readers without scripts see this one
const COPIED_MS = 1_500 // long enough to be read

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}`)
  return found
}

function showSession({ development, viewer }: Session): void {
  const who = element('who')
  who.dataset['signedIn'] = String(viewer !== null)
  who.textContent = viewer === null ? 'Not signed in' : `Signed in as ${viewer.name ?? viewer.id}`
  element('development').hidden = !development
  element('production').hidden = development
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties)
}

function fit(example: HTMLPreElement): void {
  const text = example.textContent.replace(WRITTEN_ORIGIN, location.origin)
  const bar = make('div', { className: 'bar' })
  const box = make('div', { className: 'example' })
  example.replaceWith(box)
  example.replaceChildren(make('code', { textContent: text }))
  bar.append('Shell', ...copyButton(text))
  box.append(bar, example)
}

function copyButton(text: string): HTMLButtonElement[] {
  if (!isSecureContext) return [] // browsers keep the clipboard from pages that came over plain HTTP
  const button = make('button', { type: 'button', textContent: 'Copy' })
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text)
    button.textContent = 'Copied'
    setTimeout(() => (button.textContent = 'Copy'), COPIED_MS)
  })
  return [button]
}

document.querySelectorAll('pre').forEach(fit)
showSession(await signIn())
