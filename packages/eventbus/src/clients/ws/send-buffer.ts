import { bytesOf, isBytes } from '@chaos/core/authoring'
import { callBack, type Callback } from '../../seams/callbacks.js'

/**
 * What the system takes for a connection whose peer reads nothing, in bytes: the largest send buffer that Linux gives by default.
 *
 * @see `tcp_wmem` in tcp(7)
 */
export const SEND_BUFFER_BYTES = 4_194_304

/** The send buffer of one connection, full of the messages that a fault holds. */
export class SendBuffer {
  #held = 0

  /** @returns Whether the system takes the bytes. */
  put(size: number): boolean {
    this.#held += size
    return this.#held <= SEND_BUFFER_BYTES
  }
  remove(size: number): void {
    this.#held -= size
  }
  /** The bytes that the system has not taken. */
  get waiting(): number {
    return Math.max(0, this.#held - SEND_BUFFER_BYTES)
  }
}

/** One call of `send`, with the callback that is told once when the system has taken the data. */
export class Sending {
  readonly #buffer: SendBuffer
  readonly #size: number
  readonly #callback: Callback | undefined
  #held = 0
  #isTold = false
  #isLost = false

  constructor(buffer: SendBuffer, data: unknown, callback: Callback | undefined) {
    this.#buffer = buffer
    this.#size = sizeOf(data)
    this.#callback = callback
  }

  /** The fault holds the message: the system takes it, as far as the send buffer reaches. */
  hold(): void {
    if (this.#isLost) return
    this.#held += 1
    if (this.#buffer.put(this.#size)) this.#tellSoon()
  }
  /** The socket has written the message, or has failed to. */
  readonly written: Callback = (error) => {
    this.#release()
    this.#tell(error)
  }
  lose(): void {
    this.#isLost = true
    this.#tellSoon()
  }
  loseLate(error: Error): void {
    this.#release()
    this.#tellSoon(error)
  }

  #release(): void {
    if (this.#held === 0) return
    this.#held -= 1
    this.#buffer.remove(this.#size)
  }
  #tellSoon(error?: Error): void {
    callBack([() => this.#tell(error)])
  }
  #tell(error: Error | null | undefined): void {
    if (this.#isTold) return
    this.#isTold = true
    this.#callback?.(error)
  }
}

function sizeOf(data: unknown): number {
  if (isBytes(data)) return bytesOf(data).byteLength
  if (data instanceof Blob) return data.size
  return Buffer.byteLength(String(data))
}
