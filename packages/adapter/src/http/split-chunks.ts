import type { Clock } from '@chaos/core'

/** A piece of what came, and when it arrives. */
interface SplitPiece {
  readonly piece: Buffer
  /** In ms from now. */
  readonly afterMs: number
}

/** How what comes on a connection is held back. */
interface SplitOptions {
  readonly delayMs: number
  /** The size of pieces. Default: as they come. */
  readonly pieceBytes?: number | undefined
}

/** Makes the pieces of one connection or response: as they come and each late, or small ones, each a pause behind the one before it. */
export class SplitChunks {
  readonly #clock: Clock
  readonly #delayMs: number
  readonly #pieceBytes: number | undefined
  #lastAt = 0

  constructor(clock: Clock, { delayMs, pieceBytes }: SplitOptions) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#pieceBytes = pieceBytes
  }

  /** @param headBytes Bytes at the front that come with the first piece */
  pieces(bytes: Buffer, headBytes = 0): SplitPiece[] {
    const size = this.#pieceBytes
    if (size === undefined) return [{ piece: bytes, afterMs: this.#delayMs }]
    const now = this.#clock.now()
    const split: SplitPiece[] = []
    for (let from = 0; from < bytes.length || split.length === 0;) {
      const to = from === 0 ? Math.min(headBytes + size, bytes.length) : from + size
      this.#lastAt = Math.max(this.#lastAt, now) + this.#delayMs
      split.push({ piece: bytes.subarray(from, to), afterMs: this.#lastAt - now })
      from = to
      if (bytes.length === 0) break
    }
    return split
  }
}
