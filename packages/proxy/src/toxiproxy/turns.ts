/** Has work of the same key done one after the other. Work of other keys does not wait. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  take<T>(key: string, work: () => T | Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const over = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(key) === over) this.#last.delete(key)
      })
    this.#last.set(key, over)
    return turn
  }

  /** Resolves when all work that has been taken is done. Never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values())
  }
}
