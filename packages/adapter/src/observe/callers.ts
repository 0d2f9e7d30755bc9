import { AsyncLocalStorage } from 'node:async_hooks'
import type { AttemptRecord } from './attempt.js'

/**
 * Tells within which attempt of one observation the calls of another one are made. Nothing is carried while no other
 * observation asks.
 */
export class Callers {
  #storage: AsyncLocalStorage<AttemptRecord> | undefined
  #needs = 0

  /** Has attempts carried until the returned function is called. */
  need(): () => void {
    this.#needs += 1
    this.#storage ??= new AsyncLocalStorage()
    let isNeeded = true
    return () => {
      if (!isNeeded) return
      isNeeded = false
      this.#needs -= 1
      if (this.#needs > 0) return
      this.#storage?.disable()
      this.#storage = undefined
    }
  }

  run<Result>(attempt: AttemptRecord, work: () => Result): Result {
    return this.#storage === undefined ? work() : this.#storage.run(attempt, work)
  }

  get current(): AttemptRecord | undefined {
    return this.#storage?.getStore()
  }
}
