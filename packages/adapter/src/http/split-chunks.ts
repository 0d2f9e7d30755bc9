import type { Clock } from '@chaos/core'

/** A piece of received bytes and its delay. */
interface SplitPiece {
  readonly piece: Buffer
  /** Time from now until the piece is delivered, in ms. */
  readonly afterMs: number
}

/** The delay and size of pieces. */
interface SplitOptions {
  readonly delayMs: number
  /** The size of a piece in bytes. Default: the size as received. */
  readonly pieceBytes?: number | undefined
}

/**
 * Splits the bytes of one connection or response. Without `pieceBytes` each piece keeps its size and is late by
 * `delayMs`. With it, small pieces follow each other at intervals of `delayMs`.
 */
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

  /**
   * Splits the next bytes.
   *
   * @param headBytes The number of bytes at the front that belong to the first piece in addition to its size.
   */
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
