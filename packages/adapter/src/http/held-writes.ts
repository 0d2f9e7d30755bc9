import type { Duplex } from 'node:stream'
import type { Done } from '../sockets/wire.js'
import type { Outgoing } from '../sockets/writes.js'

/** How much a request may write before the connection takes no more, as the buffers of two kernels between mute peers. */
export const ACCEPTED_BYTES = 256 * 1024

/** The internal method by which a socket starts its idle timer again. */
interface TimedConnection extends Duplex {
  readonly _unrefTimer?: () => void
  readonly encrypted?: boolean
}

/** Keeps what a request writes on its connection, as a peer does that reads nothing. */
export class HeldWrites {
  readonly #connection: TimedConnection
  readonly #kept: Outgoing[] = []
  #keptBytes = 0
  #waiting: Done | undefined

  constructor(connection: Duplex) {
    this.#connection = connection
  }

  take(outgoing: Outgoing): void {
    this.#connection._unrefTimer?.()
    this.#kept.push(outgoing)
    this.#keptBytes += outgoing.bytes.length
    if (this.#keptBytes > ACCEPTED_BYTES) this.#waiting = outgoing.done
    // TLS writes in a later turn.
    else if (this.#connection.encrypted === true) setImmediate(outgoing.done)
    else outgoing.done()
  }

  /** Writes what was kept. The connection takes the next bytes when that is done. */
  release(): void {
    const [first] = this.#kept
    if (first === undefined || this.#connection.destroyed) return
    this.#connection.cork()
    first.line.add(Buffer.concat(this.#kept.map(({ bytes }) => bytes)), (error) => {
      this.#waiting?.(error)
      this.#connection.uncork()
    })
  }
}
