import type { Seam } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { endConnection } from './connection-end.js'
import { peerOf, type NetModule } from './net.js'
import type { TakeBytes, Wire } from './wire.js'

/** A connection of which a piece was chosen. */
interface Line {
  readonly wire: Wire
  readonly take: TakeBytes
  isCut: boolean
}

/**
 * What comes on connections that the process made. An operation is a piece that was read, as the kernel had it; its name is where the connection leads
 * to. A fault is given the wire when the first piece of it is chosen, and says what becomes of chosen pieces. The others, and the end of the connection,
 * wait behind what is held; of a wire that was cut nothing more comes.
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
