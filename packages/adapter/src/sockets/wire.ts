import type { ConnectionEnd } from './connection-end.js'

/** A connection, or a response on it, whose bytes a fault has in hand. */
export interface Wire {
  /** What belongs together is held in one line. */
  readonly line: symbol
  /** Hands bytes on. @param done Called when the other side may send more */
  readonly deliver: (bytes: Buffer, done?: Done) => void
  /** Ends the connection. @param fault What an error of it is marked with */
  readonly cut: (how: ConnectionEnd, fault: string) => void
}

/** Called when more may be sent. */
type Done = (error?: Error | null) => void

/**
 * What becomes of the bytes of a wire: takes them piece by piece.
 *
 * @param headBytes How many bytes at the front belong to the head of a response
 * @param done To be called when more may be sent; where nobody waits for that it does nothing
 */
export type TakeBytes = (bytes: Buffer, headBytes: number, done: Done) => void
