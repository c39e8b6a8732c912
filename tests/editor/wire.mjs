// A wire between a browser and the server that can be cut, or carry what is asked and not what is answered.

import { connect, createServer } from 'node:net'

export class Wire {
  #ends = new Set()
  #isCut = false
  #answers = true

  static async to(address) {
    const wire = new Wire()
    const { hostname, port } = new URL(address)
    wire.listener = createServer((near) => wire.#join(near, connect(port, hostname)))
    await new Promise((resolve) => wire.listener.listen(0, hostname, resolve))
    wire.address = `http://${hostname}:${wire.listener.address().port}`
    return wire
  }

  #join(near, far) {
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#ends.add(end)
      end.on('error', () => other.destroy())
      end.on('close', () => other.destroy(void this.#ends.delete(end)))
    }
    if (this.#isCut) return near.resetAndDestroy()
    near.pipe(far)
    far.on('data', (data) => this.#answers && near.write(data))
  }

  /** Nothing gets through, and what is connected is reset. */
  cut() {
    this.#isCut = true
    this.#reset()
  }

  /** What is sent arrives; no answer comes back. */
  silence() {
    this.#answers = false
  }

  /** All is as ever. Whoever waits for an answer that was lost is told so. */
  mend() {
    const lost = !this.#answers
    this.#isCut = false
    this.#answers = true
    if (lost) this.#reset()
  }

  close() {
    this.listener.close()
    this.#reset()
  }

  #reset() {
    for (const end of this.#ends) end.resetAndDestroy()
  }
}
