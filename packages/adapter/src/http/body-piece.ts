/** A piece of a body, without its framing. */
export interface BodyPiece {
  readonly bytes: Buffer
  /** Whether a `content-length` is set, so that a replacement must have the same length. */
  readonly keepsLength: boolean
}

/** Returns the replacement of a piece. */
export type Change = (piece: BodyPiece) => Buffer
