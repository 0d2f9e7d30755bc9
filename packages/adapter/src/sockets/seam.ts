import type { Seam } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { endConnection } from './connection-end.js'
import { peerOf, type NetModule } from './net.js'
import type { TakeBytes, Wire } from './wire.js'

/** A connection with at least one chosen piece. */
interface Line {
  readonly wire: Wire
  readonly take: TakeBytes
  isCut: boolean
}

/**
 * The bytes received on connections that the process made. An operation is a piece that was read, as the kernel
 * delivers it; its name is the remote address.
 *
 * A fault gets the wire of a connection with the first chosen piece, and returns the handler of chosen pieces. Other
 * pieces, and the end of the connection, wait behind held ones. A cut wire delivers nothing more.
 */
export const readSeam: Seam<NetModule, Wire, TakeBytes> = (_net, context, act) => {
  const lines = new WeakMap<Socket, Line>()
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
        const [chunk] = args
        const pass = (): boolean => below.call.apply(this, args) as boolean
        let line = lines.get(this)
        if (line?.isCut === true) return chunk === null ? pass() : true
        const peer = chunk === null ? undefined : peerOf(this)
        if (chunk !== null && peer !== undefined && context.operation(peer).shouldInject(args)) {
          if (line === undefined) {
            const wire: Wire = {
              line: Symbol(peer),
              on: { isGone: () => this.destroyed },
              deliver: (bytes, done) => {
                if (!this.destroyed) below.call.call(this, bytes)
                done?.()
              },
              cut: (how, fault) => {
                own.isCut = true
                endConnection(this, how, fault)
              },
            }
            const own: Line = { wire, take: act(wire), isCut: false }
            lines.set(this, (line = own))
          }
          line.take(Buffer.from(chunk), 0, () => undefined)
          return true
        }
        if (line === undefined || !context.isHolding(line.wire.line)) return pass()
        const held = line
        context.queue({
          order: line.wire.line,
          run: () => {
            if (!this.destroyed && !held.isCut) pass()
          },
        })
        return true
      },
  )
}
