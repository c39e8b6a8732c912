// The browser that visits are made with: the one that CHROMIUM names.

import { createRequire } from 'node:module'
import process from 'node:process'

export const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core')

export const OPTIONS = {
  executablePath: process.env.CHROMIUM,
  chromiumSandbox: process.getuid?.() !== 0, // the sandbox refuses to run for root
  args: ['--disable-dev-shm-usage'],
  ignoreDefaultArgs: ['--disable-back-forward-cache'], // people's browsers have one
}
