import type { Socket } from 'node:net'

/**
 * Resets a connection (RST), whatever is still to be written.
 *
 * The system refuses that while the end of the connection is being sent: the reset follows it, and an end that waits behind
 * bytes that the peer does not take is a close. Node.js before 18.3 cannot reset a connection. It is closed there.
 *
 * @param writer What is written to: the connection, or TLS on it. Default: the connection.
 */
export function resetSocket(connection: Socket, writer: Socket = connection): void {
  if (connection.destroyed) return
  if (!writer.writableEnded || writer.writableFinished) reset(connection)
  else if (writer.writableLength > 0) connection.destroy()
  else writer.once('finish', () => reset(connection))
}

function reset(connection: Socket): void {
  if (connection.connecting || !('resetAndDestroy' in connection)) connection.destroy()
  else if (!connection.destroyed) connection.resetAndDestroy()
}
