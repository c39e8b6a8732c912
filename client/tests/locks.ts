/** The Web Locks of one browser: exclusive, in the order they were asked for, freed when their tab dies. */

type Run = (lock: object | null) => unknown

interface Wish {
  readonly tab: FakeTab
  readonly run: () => Promise<unknown>
}

export class FakeBrowser {
  /** Of each lock, who holds it and who waits for it. */
  readonly queues = new Map<string, Wish[]>()

  open(): FakeTab {
    return new FakeTab(this)
  }

  /** Let the first in the queue hold the lock, until what it does with it has ended. */
  async serve(name: string) {
    const queue = this.queues.get(name)
    const [first] = queue ?? []
    if (!first) return void this.queues.delete(name)
    await first.run()
    this.leave(name, first)
  }

  leave(name: string, wish: Wish) {
    const queue = this.queues.get(name) ?? []
    const index = queue.indexOf(wish)
    if (index < 0) return
    queue.splice(index, 1)
    if (index === 0) void this.serve(name)
  }
}

/** What `navigator.locks` is in one tab. */
export class FakeTab {
  private isDead = false

  constructor(private readonly browser: FakeBrowser) {}

  /** The tab crashes: what it held is free, what it waited for it never gets, and none of its code runs. */
  die() {
    this.isDead = true
    for (const [name, queue] of this.browser.queues) {
      for (const wish of queue.filter(({ tab }) => tab === this).reverse()) this.browser.leave(name, wish)
    }
  }

  async request(name: string, options: LockOptions, run: Run): Promise<unknown> {
    await Promise.resolve()
    const { signal, ifAvailable } = options
    if (signal && ifAvailable) throw new DOMException('Not both.', 'NotSupportedError')
    signal?.throwIfAborted()
    if (this.isDead) return new Promise(() => {})
    const queue = this.browser.queues.get(name) ?? []
    if (ifAvailable && queue.length) return run(null)
    this.browser.queues.set(name, queue)
    return new Promise((resolve, reject) => {
      const held = async () => {
        signal?.removeEventListener('abort', abort)
        await Promise.resolve(run({ name })).then(resolve, reject)
      }
      const wish: Wish = { tab: this, run: held }
      const abort = () => {
        this.browser.leave(name, wish)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort)
      queue.push(wish)
      if (queue.length === 1) void this.browser.serve(name)
    })
  }
}
