import type { InjectionContext } from '@chaos/core/authoring'
import type http from 'node:http'
import net, { type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Wire } from '../sockets/wire.js'
import { writtenBytes } from '../sockets/written-bytes.js'
import { awaited, passageOf, type ActOnResponse } from './passage.js'
import { serverRequestName } from './target.js'

/** The internal method of a socket that all writes go through. */
interface WritingSocket extends Socket {
  _writeGeneric: (
    isMany: boolean,
    data: unknown,
    encoding: BufferEncoding | 'buffer',
    done: (error?: Error | null) => void,
  ) => void
}

/** Patches the responses that a server of this process sends. */
export function sentByServer(server: http.Server, context: InjectionContext, act: ActOnResponse): void {
  const sockets = new Set<Socket>()
  const leave = (socket: Socket): void => {
    if (sockets.delete(socket)) Reflect.deleteProperty(socket, '_writeGeneric')
  }
  context.defer(() => sockets.forEach(leave))
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): boolean {
        const [event, request, response] = args as [
          event: string,
          request: http.IncomingMessage,
          response: http.ServerResponse,
        ]
        if (event !== 'request') return below.call.apply(this, args) as boolean
        const socket = request.socket as WritingSocket
        leave(socket)
        if (context.operation(serverRequestName(request)).shouldInject([request, response])) {
          const write = socket._writeGeneric
          const { head, take } = passageOf(sendingWire(socket, write), act)
          const value: WritingSocket['_writeGeneric'] = (isMany, data, encoding, done) => {
            const bytes = writtenBytes(isMany, data, encoding)
            take(bytes, head.lengthIn(bytes), done)
          }
          Object.defineProperty(socket, '_writeGeneric', { value, writable: true, configurable: true })
          sockets.add(socket)
          socket.once('close', () => leave(socket))
          response.once('close', awaited(context))
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

function sendingWire(socket: WritingSocket, write: WritingSocket['_writeGeneric']): Wire {
  // A TLS socket accepts one write at a time, as streams issue them.
  const waiting: (() => void)[] = []
  let isWriting = false
  const deliver: Wire['deliver'] = (bytes, done = () => undefined) => {
    if (socket.destroyed) {
      done()
      return
    }
    if (isWriting) {
      waiting.push(() => deliver(bytes, done))
      return
    }
    isWriting = true
    write.call(socket, false, bytes, 'buffer', (error) => {
      isWriting = false
      waiting.shift()?.()
      done(error)
    })
  }
  return {
    line: Symbol('response'),
    deliver,
    cut(how) {
      if (how === 'reset') connectionOf(socket).resetAndDestroy()
      else socket.destroy()
    },
  }
}

/** Returns the TCP connection beneath TLS, since only that can be reset. */
function connectionOf(socket: Socket): Socket {
  const parent: unknown = socket instanceof TLSSocket ? Reflect.get(socket, '_parent') : undefined
  return parent instanceof net.Socket ? parent : socket
}
