import type http from 'node:http'
import type { Done } from '../sockets/wire.js'
import { ACCEPTED_BYTES } from './held-writes.js'

/**
 * Lets a handler write on while a fault keeps what came before, until that fills the buffers. The end of a response waits, so
 * that a response is finished when all of it has left.
 */
export class WriteAhead {
  readonly #response: http.ServerResponse
  #keptBytes = 0
  #waiting: Done | undefined
  #isEnding = false

  constructor(response: http.ServerResponse) {
    this.#response = response
  }

  /**
   * Takes a write. The connection makes the next one when it is done.
   *
   * @param keep Keeps the bytes. The argument is to be called when they have left.
   */
  take(bytes: number, done: Done, keep: (left: Done) => void): void {
    this.#keptBytes += bytes
    // A stream passes the same function with each write.
    const own: Done = (error) => done(error)
    this.#waiting = own
    keep((error) => {
      this.#keptBytes -= bytes
      if (this.#waiting === own) this.#finish(error)
      else this.#accept()
    })
    // The response ends in the same turn as its last write.
    process.nextTick(() => this.#accept())
  }

  /** Ends the response. */
  end<Result>(end: () => Result): Result {
    this.#isEnding = true
    try {
      return end()
    } finally {
      this.#isEnding = false
    }
  }

  /** What Node.js has to wait for when the response ends, in bytes. */
  get unsentBytes(): number {
    return this.#isEnding ? this.#keptBytes : 0
  }

  #accept(): void {
    if (this.#keptBytes <= ACCEPTED_BYTES && !this.#response.writableEnded) this.#finish()
  }

  #finish(error?: Error | null): void {
    const done = this.#waiting
    this.#waiting = undefined
    done?.(error)
  }
}
