import { ChaosError } from '@chaos/core'

/** The changes of where a proxy listens: one after the other, until it is closed for good. */
export class Changes {
  readonly #proxy: string
  readonly #maker: string
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /** @param maker The function that makes such a proxy. */
  constructor(proxy: string, maker: string) {
    this.#proxy = proxy
    this.#maker = maker
  }

  /** Makes a change when those before it are done, also if they failed. */
  make(change: () => Promise<void>): Promise<void> {
    const made = this.#last.then(change)
    this.#last = made.catch(() => undefined)
    return made
  }

  /** Makes the last change. The proxy counts as closed at once. */
  close(change: () => Promise<void>): Promise<void> {
    this.#isClosed = true
    return this.make(change)
  }

  /** @throws ChaosError `CHAOS_PROXY_CLOSED` if the proxy is closed. */
  assertOpen(): void {
    if (!this.#isClosed) return
    throw new ChaosError(
      'CHAOS_PROXY_CLOSED',
      `The proxy ${this.#proxy} is closed. Make another one with \`${this.#maker}\`.`,
    )
  }
}
