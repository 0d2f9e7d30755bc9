/** The size of the buffer of a connection that reads little, in bytes. */
const SMALL = 4_096
/** The size of the buffer of a connection whose reads fill the small one, in bytes: with a quarter of it, a transfer costs half as much CPU time again. */
const LARGE = 262_144
/** The most large buffers that wait for their next user. */
const MAX_FREE = 16
/** The most small buffers that wait for their next user. */
const MAX_FREE_SMALL = 256

const free: Buffer[] = []
const freeSmall: Buffer[] = []
const takeLarge = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(LARGE)
const giveLarge = (buffer: Buffer): void => {
  if (free.length < MAX_FREE) free.push(buffer)
}

/**
 * The buffer into which a connection reads, used again for each read. An idle connection keeps a small one; while reads
 * fill it, the connection borrows a large one.
 */
export class ReadBuffer {
  readonly #small = freeSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL)
  #current: Buffer = this.#small

  /** The buffer for the next read, as the option `onread` of a socket asks for it. */
  readonly next = (): Buffer => this.#current

  /**
   * Returns the bytes of the last read so that they may be kept. Many bytes keep the buffer itself, and the next read gets
   * another one; few are copied.
   */
  keep(length: number): Buffer {
    const bytes = this.#current.subarray(0, length)
    if (this.#current === this.#small || length < LARGE / 2) return Buffer.from(bytes)
    this.#current = takeLarge()
    return bytes
  }

  /** Chooses the size of the next buffer. Call it after a read whose bytes are not in use any more. */
  fit(length: number): void {
    if (this.#current === this.#small) {
      if (length === SMALL) this.#current = takeLarge()
    } else if (length <= SMALL) {
      giveLarge(this.#current)
      this.#current = this.#small
    }
  }

  /** Gives the buffers to the next users. Call it once, when nothing reads into them and nothing writes from them any more. */
  release(): void {
    if (this.#current !== this.#small) giveLarge(this.#current)
    if (freeSmall.length < MAX_FREE_SMALL) freeSmall.push(this.#small)
  }
}
