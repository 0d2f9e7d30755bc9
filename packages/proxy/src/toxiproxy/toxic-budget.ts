import { ApiError } from './api-error.js'

/** How many toxics of a server may be in force at a time. */
export class ToxicBudget {
  readonly #max: number
  #taken = 0

  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max
  }

  /**
   * Takes the place of one toxic.
   *
   * @returns Gives the place back. Call it once.
   * @throws ApiError 429 if all are taken.
   */
  take(): () => void {
    if (this.#taken >= this.#max)
      throw new ApiError(429, `there are ${this.#max} toxics, which is the maximum of this server; remove one first`)
    this.#taken += 1
    return () => {
      this.#taken -= 1
    }
  }
}
