// The live editor for somebody whom the application beside it has signed in.

import { Editor } from '../editor/editor.mjs'

const NAME = /^([^=]+)=(.*)$/

/** Draw, be signed out elsewhere, draw on, and be signed in again. */
export async function draw(browser, { address, given: { cookies }, ask }) {
  const [first, second] = cookies.map((cookie) => NAME.exec(cookie))
  const signIn = ([, name, value]) => browser.addCookies([{ name, value, url: address }])
  await signIn(first)
  const editor = new Editor(await browser.newPage())
  await editor.load()
  await editor.addBlock('Before')
  await editor.says('Saved')
  await ask('sign out')
  await editor.addBlock('After')
  await editor.says('Saved on this device')
  await signIn(second)
  await editor.says('Saved')
  console.log(editor.id)
}
draw.tolerated = /status of 40[14]/
