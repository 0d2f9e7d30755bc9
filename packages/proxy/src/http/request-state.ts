import type { ByteAccount } from '../links/byte-account.js'
import type { Hit } from '../toxics/hits.js'

/**
 * `waiting`: the upstream has not got it, since a fault holds it, or requests before it are under way. `sent`: the upstream
 * has not answered yet, or a fault holds the answer. `answering`: the head of the answer is on its way to the client, or
 * was sent. `tunnel`: the connection speaks another protocol now, such as that of WebSocket.
 */
export type RequestStatus = 'waiting' | 'sent' | 'answering' | 'tunnel'

/**
 * How a request ended.
 *
 * - `answered`: the client got the upstream's answer, whole.
 * - `injected`: a fault answered.
 * - `cut`: a fault ended the connection.
 * - `failed`: the upstream could not be reached, or broke off.
 * - `abandoned`: the client closed the connection first, or the proxy was closed.
 * - `tunnelled`: the connection was upgraded, and is closed now.
 */
export type RequestOutcome = 'answered' | 'injected' | 'cut' | 'failed' | 'abandoned' | 'tunnelled'

/** The outcomes, in order. */
export const OUTCOMES: readonly RequestOutcome[] = ['answered', 'injected', 'cut', 'failed', 'abandoned', 'tunnelled']

/** A live request as data. */
export interface RequestState {
  /** The number of the request at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  readonly method: string
  /** As the client sent it, at most 1,024 characters. */
  readonly url: string
  /** The client's address and port. */
  readonly client: string
  readonly status: RequestStatus
  /** When its head had come, in ms since the epoch. */
  readonly startedAt: number
  /** Bytes of its body, without framing; of a tunnel, the bytes from the client. */
  readonly upstream: ByteAccount
  /** Bytes of the answer's body, without framing; of a tunnel, the bytes to the client. */
  readonly downstream: ByteAccount
  /**
   * The faults that have affected it: the last 100 that have ended, in the order in which they ended, and then those in
   * force, in the order in which they came.
   */
  readonly hits: readonly Hit[]
}
