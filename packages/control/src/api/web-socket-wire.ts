import type { WebSocket } from 'ws'
import type { OpenWire } from './wire.js'

/** The event stream on a WebSocket. A client that did not answer the last ping is disconnected. */
export const webSocketWire =
  (socket: WebSocket): OpenWire =>
  (onGone) => {
    let hasAnswered = true
    socket.on('pong', () => (hasAnswered = true))
    socket.on('message', () => socket.close(1_008, 'This stream accepts no messages.'))
    // The `close` event follows and cleans up.
    socket.on('error', () => undefined)
    socket.on('close', onGone)
    return {
      send: (text) => socket.send(text),
      get unsentBytes() {
        return socket.bufferedAmount
      },
      beat() {
        if (!hasAnswered) {
          socket.terminate()
          return
        }
        hasAnswered = false
        socket.ping()
      },
      terminate: () => socket.terminate(),
      close() {
        socket.close(1_001, 'The endpoint is closing.')
        socket.terminate()
      },
    }
  }
