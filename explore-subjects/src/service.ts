/** A service at the far end of a call, which counts what happens at it. */
export class Service {
  /** The effects so far. */
  charged = 0
  readonly #keys = new Set<string>()

  /**
   * Charges, and answers with the number of charges so far.
   *
   * @param key Charges with one key happen once. Default: each charge happens.
   * @param _signal Aborts when the caller gives up.
   */
  async charge(key?: string, _signal?: AbortSignal): Promise<number> {
    if (key === undefined || !this.#keys.has(key)) this.charged += 1
    if (key !== undefined) this.#keys.add(key)
    return Promise.resolve(this.charged)
  }
}
