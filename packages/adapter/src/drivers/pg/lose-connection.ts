import type { Socket } from 'node:net'

/** What PostgreSQL says before it ends a connection: FATAL and PANIC. */
const ENDING = new Set<unknown>(['FATAL', 'PANIC'])

/**
 * Breaks a connection if an error says that it is broken, so that its client tells whoever listens (`error`, `end`), and its pool throws it away.
 *
 * @returns Settles when the one whose query fails would hear of it: before the connection ends if the server said why, else when its end is told.
 */
export async function loseConnection(stream: Socket | undefined, error: Error): Promise<void> {
  if (stream === undefined || stream.destroyed) return
  if (ENDING.has(Reflect.get(error, 'severity'))) setImmediate(() => stream.destroy())
  else if ('syscall' in error || error.message === 'Connection terminated unexpectedly') {
    const told = new Promise((resolve) => stream.once('syscall' in error ? 'error' : 'close', resolve))
    stream.destroy('syscall' in error ? error : undefined)
    await told
  }
}
