// Watches what pages say of their saves, and asks the server each time at once whether that is true.

import assert from 'node:assert/strict'

/** Watch each page of `browser`. `isTrue(id, values)` says whether the server has them. */
export async function watch(browser, isTrue) {
  const lies = []
  const questions = new Set()
  let truths = 0
  await browser.exposeBinding('tellWitness', (_, told) => {
    const question = isTrue(told.id, told.values).then((answer) => (answer ? truths++ : lies.push(told)))
    questions.add(question.finally(() => questions.delete(question)))
  })
  await browser.addInitScript(look)
  return {
    /** See that whenever a page said "Saved", everything that it showed was. */
    async verify() {
      await Promise.all(questions)
      assert.deepEqual(lies, [], '"Saved" was said of what was not')
      assert(truths > 0, 'nothing was ever said to be saved')
    },
  }
}

/** Runs in the page: tells the witness what is shown while it says "Saved", whenever the one or the other changes. */
function look() {
  const nextFrame = requestAnimationFrame // of the browser itself, also where a test makes time its own
  const said = () => document.querySelector('[role=status][aria-label=Saving]')?.textContent
  const textOf = (element) => element.value ?? element.textContent
  const shown = '.block-title, [aria-label=Block] [data-document]:not(.code, [inputmode])'
  const history = (globalThis.indicated = [])

  const tell = () => {
    if (said() !== 'Saved') return
    const [, id] = /^#\/w\/([^?]+)/.exec(location.hash) ?? []
    const values = [...document.querySelectorAll(shown)].map(textOf).filter(Boolean)
    globalThis.tellWitness({ id, values, at: performance.now() })
  }
  const compare = () => {
    if (said() === history.at(-1)) return
    history.push(said())
    tell()
  }
  new MutationObserver(compare).observe(document, { subtree: true, childList: true, characterData: true })
  addEventListener('input', () => nextFrame(tell), true) // "Saved" may have stayed, and be true no more
}
