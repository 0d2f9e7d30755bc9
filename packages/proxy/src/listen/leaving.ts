/** Waits until some things have gone. Others may come and go meanwhile. */
export class Leaving<Thing> {
  #left = new Set<Thing>()
  #onGone: () => void = () => undefined

  /** @returns When all of these have {@link gone}. Ask for one lot at a time. */
  async wait(things: Iterable<Thing>): Promise<void> {
    this.#left = new Set(things)
    if (this.#left.size > 0) await new Promise<void>((resolve) => (this.#onGone = resolve))
  }

  /** One has gone. */
  gone(thing: Thing): void {
    if (this.#left.delete(thing) && this.#left.size === 0) this.#onGone()
  }
}
