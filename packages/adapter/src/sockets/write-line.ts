import type { Duplex } from 'node:stream'
import type { Done } from './wire.js'

/** Writes bytes on a connection one by one: a stream, and TLS beneath it, takes the next write when the last is done. */
export class WriteLine {
  readonly #connection: Duplex
  readonly write: (bytes: Buffer, done: Done) => void
  readonly #waiting: { readonly bytes: Buffer; readonly done: Done }[] = []
  #isWriting = false

  constructor(connection: Duplex, write: WriteLine['write']) {
    this.#connection = connection
    this.write = write
  }

  /** Whether something is being written, so that new bytes must queue. */
  get isBusy(): boolean {
    return this.#isWriting
  }

  /** Writes bytes behind those that wait. Nothing is written on a connection that has ended. */
  add(bytes: Buffer, done: Done): void {
    this.#waiting.push({ bytes, done })
    this.#next()
  }

  #next(): void {
    if (this.#isWriting) return
    const item = this.#waiting.shift()
    if (item === undefined) return
    const { bytes, done } = item
    if (this.#connection.destroyed) {
      done()
      this.#next()
      return
    }
    this.#isWriting = true
    this.write(bytes, (error) => {
      this.#isWriting = false
      // The stream writes its next bytes in `done`; what waits here was written before.
      this.#next()
      done(error)
    })
  }
}
