import type { Socket } from 'node:net'

/** The severities after which PostgreSQL ends the connection. */
const ENDING = new Set<unknown>(['FATAL', 'PANIC'])

/**
 * Breaks a connection if an error means that it is broken. Its client then emits `error` and `end`, and its pool
 * discards the client.
 *
 * @returns A promise that settles when the failing query would get the error: before the end if the server sent a
 *   reason, else once the end is reported.
 */
export async function loseConnection(stream: Socket | undefined, error: Error): Promise<void> {
  if (stream === undefined || stream.destroyed) return
  if (ENDING.has(Reflect.get(error, 'severity'))) setImmediate(() => stream.destroy())
  else if ('syscall' in error || error.message === 'Connection terminated unexpectedly') {
    const reported = new Promise((resolve) => stream.once('syscall' in error ? 'error' : 'close', resolve))
    stream.destroy('syscall' in error ? error : undefined)
    await reported
  }
}
