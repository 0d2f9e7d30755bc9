import type { InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'

/** The internals of a client that limit how long it connects. */
export interface TimedClient {
  readonly connection: { readonly stream: Socket }
  /** In ms. `0`: no limit. */
  readonly _connectionTimeoutMillis?: number
  /** Set while the client is checked out of a pool. */
  readonly release?: unknown
}

/**
 * Starts the `connectionTimeoutMillis` of a client again, for a query that is the first one after the client connected
 * during the fault. Before a mute server such a client would not have connected, so its caller would wait no longer
 * than this.
 *
 * @returns A function that stops the timeout.
 */
export function startConnectionTimeout(client: TimedClient, clock: InjectionContext['clock']): () => void {
  const timeoutMs = client._connectionTimeoutMillis ?? 0
  if (timeoutMs <= 0) return () => undefined
  return clock.after(timeoutMs, () => client.connection.stream.destroy(timeoutError(client)), { ref: false })
}

/** Makes the error of the timeout, of the pool or of the client. */
function timeoutError({ release }: TimedClient): Error {
  if (release === undefined) return new Error('timeout expired')
  const cause = new Error('Connection terminated unexpectedly')
  return new Error('Connection terminated due to connection timeout', { cause })
}
