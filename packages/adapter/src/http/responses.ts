import type { InjectionContext, Seam } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { endConnection } from '../sockets/connection-end.js'
import type { TakeBytes, Wire } from '../sockets/wire.js'
import { sentByClient } from './client-responses.js'
import { passageOf, type Passage } from './passage.js'
import { sentByServer } from './server-responses.js'
import { isHttpClient, isHttpServer, type HttpTarget } from './target.js'
import { sentByUndici } from './undici-responses.js'

/**
 * The responses of a target as bytes, beneath the HTTP/1 parser, so that Node.js or undici itself makes the errors that
 * the application gets. An operation is a request; its name is the one in `requestSeam`.
 */
export const responseSeam: Seam<HttpTarget, Wire, TakeBytes> = (target, context, act) => {
  if (isHttpServer(target)) {
    sentByServer(target, context, act)
    return
  }
  const passages = new WeakMap<Socket, Passage>()
  readBy(context, passages)
  /** Notes that a request was sent on a connection, so the next bytes received there are its response. */
  const sent = (socket: Socket, isChosen: boolean): void => {
    if (!isChosen) passages.delete(socket)
    else passages.set(socket, passageOf(receivingWire(socket), act))
  }
  if (isHttpClient(target)) sentByClient(target, context, sent)
  else sentByUndici(target, context, sent)
}

/** The functions that pass received bytes on beneath the fault. */
const pushed = new WeakMap<Socket, (chunk: Buffer | null) => boolean>()

function receivingWire(socket: Socket): Wire {
  return {
    line: Symbol('response'),
    deliver(bytes, done) {
      if (socket.destroyed) return
      pushed.get(socket)?.(bytes)
      done?.()
    },
    cut: (how, fault) => endConnection(socket, how, fault),
  }
}

function readBy(context: InjectionContext, passages: WeakMap<Socket, Passage>): void {
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Buffer | null, encoding?: BufferEncoding]): boolean {
        const [chunk] = args
        const passage = passages.get(this)
        if (passage === undefined) return below.call.apply(this, args) as boolean
        const { wire, head, take } = passage
        pushed.set(this, (bytes) => below.call.call(this, bytes) as boolean)
        if (chunk !== null) {
          take(Buffer.from(chunk), head.lengthIn(chunk), () => undefined)
          return true
        }
        // The end of a connection waits behind the bytes that are held.
        const run = (): void => void below.call.call(this, null)
        if (context.isHolding(wire.line)) context.queue({ order: wire.line, run })
        else run()
        return false
      },
  )
}
