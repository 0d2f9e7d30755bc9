import { injectedBy } from '@chaos/core'
import type { Socket } from 'node:net'
import { endConnection } from '../../sockets/connection-end.js'

/** The internals of a connection that can be broken. */
export interface LosableConnection {
  readonly stream: Socket
  /** The running command. */
  readonly _command: unknown
  /** The error that the driver reports when the connection closes. */
  _protocolError: unknown
  /** Set once the driver itself closes the connection. From then on it reports no break. */
  readonly _closing?: boolean
}

/** Breaks a connection. The driver then reports it to all commands and listeners. */
export function loseConnection(connection: LosableConnection, error: Error): void {
  if (isOfSocket(error)) connection.stream.destroy(error)
  else {
    connection._protocolError = error
    endConnection(connection.stream, 'end', injectedBy(error) as string)
  }
}

/** Returns whether an error means that the connection is broken. */
export function meansBroken(error: Error): boolean {
  return isOfSocket(error) || Reflect.get(error, 'fatal') === true
}

/** Returns whether an error comes from a socket. The error of a statement timeout has a `syscall` too. */
function isOfSocket(error: Error): boolean {
  return 'syscall' in error && error.syscall !== 'query'
}
