import type { Socket } from 'node:net'

/** The severities after which PostgreSQL ends the connection. */
const ENDING = new Set<unknown>(['FATAL', 'PANIC'])

/** Returns whether an error means that the connection is broken. */
export function endsConnection(error: Error): boolean {
  return (
    ENDING.has(Reflect.get(error, 'severity')) ||
    'syscall' in error ||
    error.message === 'Connection terminated unexpectedly'
  )
}

/**
 * Breaks a connection by an error that means that it is broken. Its client then fails its queries and emits `error` and
 * `end`, and its pool discards the client.
 *
 * @returns Whether the failing query gets the error before the end, from the server, or with the end, from the client.
 */
export function loseConnection(stream: Socket, error: Error): 'after the error' | 'with the end' {
  if (ENDING.has(Reflect.get(error, 'severity'))) {
    setImmediate(() => stream.destroy())
    return 'after the error'
  }
  stream.destroy('syscall' in error ? error : undefined)
  return 'with the end'
}
