// Tabs of one workflow are played with at random: whatever is done to them, nothing typed is lost or doubled.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { Person } from './editor.mjs'
import { Wire } from './wire.mjs'

const TURNS = 25
const MOST_TABS = 3
const LONGEST_PAUSE_MS = 300 // some saves are under way then, some are not

export async function play(browser, { address, another, given: { seed } }) {
  const wire = await Wire.to(address)
  const person = await Person.of(await another({ baseURL: wire.address }), address)
  const game = new Game(dice(seed), wire, person, [await person.open()])
  await game.edit()
  await game.tabs[0].says('Saved')
  for (let turn = 0; turn < TURNS; turn++) await game.turn()
  await game.end()
  wire.close()
}
play.tolerated = /ERR_|WebSocket/

class Game {
  isUp = true
  typed = []

  constructor(roll, wire, person, tabs) {
    Object.assign(this, { roll, wire, person, tabs, id: tabs[0].id })
  }

  async turn() {
    const moves = [this.edit, this.edit, this.edit, this.wait, this.cut, this.silence, this.mend, this.mend]
    if (this.isUp) moves.push(this.open, this.reload, this.goAndComeBack)
    if (this.isUp || this.tabs.length > 1) moves.push(this.crash, this.close)
    await this.one(moves).call(this)
    if (this.tabs.length === 0) await this.open()
  }

  one(choices) {
    return choices[this.roll(choices.length)]
  }

  async edit() {
    const name = `edit ${this.typed.length}`
    const tab = this.one(this.tabs)
    await tab.add()
    await tab.paste('Name', name)
    this.typed.push(name)
  }

  wait() {
    return pause(this.roll(LONGEST_PAUSE_MS))
  }

  cut() {
    this.isUp = false
    this.wire.cut()
  }

  silence() {
    this.isUp = false
    this.wire.silence()
  }

  mend() {
    this.isUp = true
    this.wire.mend()
  }

  async open() {
    this.mend()
    if (this.tabs.length < MOST_TABS) this.tabs.push(await this.person.open(this.id))
  }

  async reload() {
    const tab = this.one(this.tabs)
    await tab.page.reload()
    await tab.ready()
  }

  async goAndComeBack() {
    const tab = this.one(this.tabs)
    await tab.page.goto('/developers')
    await this.wait()
    await tab.page.goBack({ waitUntil: 'commit' })
    await tab.ready()
  }

  crash() {
    return this.taken().crash()
  }

  close() {
    return this.taken().close()
  }

  taken() {
    return this.tabs.splice(this.roll(this.tabs.length), 1)[0]
  }

  async end() {
    this.mend()
    for (const name of this.typed) {
      await this.person.server.hasOnce(this.id, name)
      for (const tab of this.tabs) await tab.block(name).waitFor()
    }
    for (const tab of this.tabs) await tab.says('Saved')
    await this.person.witness.verify()
    assert.equal(Object.keys((await this.person.server.state(this.id)).blocks).length, this.typed.length)
  }
}

/** Numbers below a limit, always the same ones for a seed. */
function dice(seed) {
  let state = seed
  return (limit) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
    return ((state ^ (state >>> 12)) >>> 0) % limit
  }
}
