import type { Writable } from 'node:stream'
import { Fifo } from '../queue/fifo.js'

/**
 * How a stream of bytes ends.
 *
 * - `end`: its sender has no more (FIN). The other direction goes on.
 * - `close`: both directions end, in order, behind the bytes that were sent.
 * - `reset`: both ends are reset (RST) at once.
 */
export type Ending = 'end' | 'close' | 'reset'

/** What takes a stream of bytes: a toxic, or the socket at the end. */
export interface Receiver {
  /** Takes bytes, which are its own from now on. */
  data(bytes: Buffer): void
  end(ending: Ending): void
}

/** What an outlet writes to: a socket, or the body of an HTTP message. */
export type Sink = Pick<Writable, 'cork' | 'uncork' | 'write' | 'writableLength' | 'destroyed' | 'errored'>

/** The most bytes in one write. */
const MAX_BATCH = 1_048_576
/** The most chunks in one write. */
const MAX_CHUNKS = 1_024

const RANK: Readonly<Record<Ending, number>> = { end: 1, close: 2, reset: 3 }

/** The last receiver of a stream. It writes what has come in one go, and knows exactly what the system has taken. */
export class Outlet implements Receiver {
  /** Bytes that the system has taken. */
  out = 0
  /** Bytes that were dropped, since the connection closed before the system took them. */
  dropped = 0
  readonly #queue = new Fifo<Buffer>()
  #queued = 0
  /** Bytes given to the socket that the system has not taken yet. At most one write is on its way. */
  #inFlight = 0
  /** Writes that the system took at once, and whose callbacks are still to come. */
  #done = 0
  /** Bytes that were given to the socket behind others, since both ends are closed. */
  #handedOver = 0
  #ending: Ending | undefined
  #hasEnded = false
  #isClosed = false

  /**
   * @param onDrain Called when a write is complete that was not complete at once.
   * @param finish Ends the connection. Called when all bytes before the end are with the system, or at once for a reset.
   * @param closesInOrder Whether a sink that closes still sends what it was given. Then a `close` is not waited for either.
   */
  constructor(
    public socket: Sink,
    readonly onDrain: () => void,
    readonly finish: (ending: Ending) => void,
    readonly closesInOrder = false,
  ) {}

  /** Bytes that wait here, or are on their way to the system. */
  get held(): number {
    return this.#queued + this.#inFlight + this.#handedOver
  }

  /** The number of chunks that wait here. */
  get heldChunks(): number {
    return this.#queue.length
  }

  get isIdle(): boolean {
    return this.#queued === 0 && this.#inFlight === 0 && this.#ending === undefined && !this.#isClosed
  }

  data(bytes: Buffer): void {
    if (bytes.length === 0) return
    if (this.#isClosed || this.#ending !== undefined) {
      this.dropped += bytes.length
      return
    }
    this.#queue.push(bytes)
    this.#queued += bytes.length
  }

  end(ending: Ending): void {
    const rank = this.#ending === undefined ? 0 : RANK[this.#ending]
    if (this.#isClosed || RANK[ending] <= rank) return
    this.#ending = ending
    this.#hasEnded = false
    if (ending === 'reset') this.#end(ending)
  }

  /** Writes bytes at once. Call it only while the outlet is idle. What it then holds must stay as it is until `onDrain`. */
  write(bytes: Buffer): void {
    this.#inFlight = bytes.length
    this.socket.write(bytes, this.#written)
    this.#settle()
  }

  /** Writes what waits, and ends if it should. */
  flush(): void {
    while (this.#inFlight === 0 && this.#queued > 0 && !this.#isClosed) this.#writeBatch()
    if (this.#ending === undefined || this.#hasEnded) return
    // A receiver that does not read delays its own end, and not that of the sender.
    if (this.#ending === 'close' && this.closesInOrder) this.#handOver()
    else if (this.held > 0) return
    this.#end(this.#ending)
  }

  /** Drops what waits. A write that is on its way goes on. */
  close(): void {
    this.dropped += this.#queued
    this.#queued = 0
    this.#queue.clear()
    this.#isClosed = true
  }

  /** Counts a write as dropped that the socket, now closed, never reported. */
  abandon(): void {
    this.close()
    this.dropped += this.#inFlight + this.#handedOver
    this.#inFlight = 0
    this.#handedOver = 0
  }

  /** Gives all that waits to the socket, which sends it before it closes. */
  #handOver(): void {
    const { socket } = this
    socket.cork()
    for (let bytes = this.#queue.shift(); bytes !== undefined; bytes = this.#queue.shift()) {
      const { length } = bytes
      this.#queued -= length
      this.#handedOver += length
      socket.write(bytes, (error?: Error | null) => {
        if (this.#handedOver === 0) return
        this.#handedOver -= length
        if ((error === undefined || error === null) && !socket.destroyed) this.out += length
        else this.dropped += length
      })
    }
    socket.uncork()
  }

  #end(ending: Ending): void {
    this.#hasEnded = true
    this.finish(ending)
  }

  #writeBatch(): void {
    const { socket } = this
    if (this.#queue.length === 1) {
      this.#queued = 0
      this.write(this.#queue.shift() as Buffer)
      return
    }
    socket.cork()
    let chunks = 0
    do {
      const bytes = this.#queue.shift() as Buffer
      this.#queued -= bytes.length
      this.#inFlight += bytes.length
      chunks += 1
      const isLast = this.#queued === 0 || chunks === MAX_CHUNKS || this.#inFlight >= MAX_BATCH
      if (isLast) {
        socket.write(bytes, this.#written)
        break
      }
      socket.write(bytes)
    } while (this.#queued > 0)
    socket.uncork()
    this.#settle()
  }

  /** Counts a write that was complete at once. */
  #settle(): void {
    const { socket } = this
    if (socket.writableLength > 0 || socket.destroyed || socket.errored !== null) return
    this.out += this.#inFlight
    this.#inFlight = 0
    this.#done += 1
  }

  readonly #written = (error?: Error | null): void => {
    if (this.#done > 0) {
      this.#done -= 1
      return
    }
    // Node.js reports no error for a write that it gave up since the socket was destroyed.
    if ((error === undefined || error === null) && !this.socket.destroyed) this.out += this.#inFlight
    else this.dropped += this.#inFlight
    this.#inFlight = 0
    this.onDrain()
  }
}
