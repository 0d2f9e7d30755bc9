import type { ClientHttp2Stream } from 'node:http2'
import { hidden } from '../../sockets/hidden.js'

/** What a stream keeps to itself. */
interface StreamState {
  flags: number
}

/** The flag of a stream that is closed, in every version of Node.js. */
const IS_CLOSED = 2

/**
 * The end of a stream whose response is held. When the service has ended its response, Node.js closes the stream: it marks
 * the stream as closed, stops its timeouts, and removes their listeners, in this order. All that waits until the end of
 * the response is delivered.
 */
export class StreamEnd {
  readonly #stream: ClientHttp2Stream
  readonly #state: StreamState
  readonly #kept: (() => unknown)[] = []
  #isOver = false

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream
    this.#state = hidden(stream, 'state') as StreamState
  }

  /** Keeps a call of a method for later if Node.js makes it to close the stream. */
  keeps(method: 'setTimeout' | 'removeAllListeners', argument: unknown, call: () => unknown): unknown {
    const isOfClosing =
      method === 'setTimeout'
        ? argument === 0 && this.#stream.closed
        : argument === 'timeout' && this.#kept.length === 1
    if (this.#isOver || !isOfClosing) return call()
    this.#state.flags &= ~IS_CLOSED
    this.#kept.push(call)
    return this.#stream
  }

  /** The user of the stream closes it. If the service has done so before, nothing else ends the stream. */
  leave(): void {
    if (!this.#isOver && this.#kept.length > 0) setImmediate(() => void this.#stream.destroy())
    this.#isOver = true
  }

  /** The end of the response is delivered. As on the network, the stream closes in a later turn. */
  deliver(): void {
    setImmediate(() => {
      const stream = this.#stream
      if (this.#isOver || stream.destroyed) return
      this.#isOver = true
      if (this.#kept.length === 0) return
      this.#state.flags |= IS_CLOSED
      for (const call of this.#kept.splice(0)) call()
      if (stream.readableEnded) stream.destroy()
    })
  }
}
