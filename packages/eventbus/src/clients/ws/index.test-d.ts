import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindWebSocket, bindWebSocketServer } from './index.js'

it('takes sockets and servers of ws, and makes a bus of them', () => {
  const bind = (socket: WebSocket, server: WebSocketServer): Bus[] => [
    bindWebSocket(socket, { nameOf: (data) => String(data) }),
    bindWebSocketServer(server),
  ]
  assertType<(socket: WebSocket, server: WebSocketServer) => unknown>((socket, server) =>
    bind(socket, server).map((bus) => inject(dropEvents(), bus)),
  )
  // @ts-expect-error -- not a socket
  bindWebSocket(new EventEmitter())
  assertType<(socket: WebSocket) => Bus>((socket) => {
    // @ts-expect-error -- a socket is not a server
    return bindWebSocketServer(socket)
  })
})
