import type { Seam } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { endConnection } from './connection-end.js'
import { peerOf, type NetModule } from './net.js'
import { onReads } from './reads.js'
import { onSessionBytes } from './sessions.js'
import type { TakeBytes, Wire } from './wire.js'

/** A connection with at least one chosen piece. */
interface Line {
  readonly wire: Wire
  readonly take: TakeBytes
  isCut: boolean
}

/** Where the bytes of a connection go, beneath the fault. */
interface Reader {
  readonly socket: Socket
  readonly isGone: () => boolean
  readonly deliver: (bytes: Uint8Array) => unknown
}

/**
 * The bytes received on connections that the process made, also by the sessions of HTTP/2. An operation is a piece that
 * was read, as the kernel delivers it; its name is the remote address.
 *
 * A fault gets the wire of a connection with the first chosen piece, and returns the handler of chosen pieces. Other
 * pieces, and the end of the connection, wait behind held ones. A cut wire delivers nothing more.
 */
export const readSeam: Seam<NetModule, Wire, TakeBytes> = (_net, context, act) => {
  const lines = new WeakMap<Socket, Line>()
  const lineOf = ({ socket, isGone, deliver }: Reader, peer: string): Line => {
    const known = lines.get(socket)
    if (known !== undefined) return known
    const wire: Wire = {
      line: Symbol(peer),
      on: { isGone },
      connection: socket,
      deliver: (bytes, done) => {
        if (!isGone()) deliver(bytes)
        done?.()
      },
      cut: (how, fault) => {
        own.isCut = true
        endConnection(socket, how, fault)
      },
    }
    const own: Line = { wire, take: act(wire), isCut: false }
    lines.set(socket, own)
    return own
  }
  const queue = (line: Line, run: () => void): boolean => {
    if (!context.isHolding(line.wire.line)) return false
    context.queue({
      order: line.wire.line,
      run: () => {
        if (!line.wire.on.isGone() && !line.isCut) run()
      },
    })
    return true
  }
  /** Returns whether the fault has the bytes. */
  const takes = (reader: Reader, bytes: Uint8Array): boolean => {
    const line = lines.get(reader.socket)
    if (line?.isCut === true) return true
    const peer = peerOf(reader.socket)
    if (peer !== undefined && context.operation(peer).shouldInject([bytes])) {
      lineOf(reader, peer).take(Buffer.from(bytes), 0, () => undefined)
      return true
    }
    return line !== undefined && queue(line, () => void reader.deliver(bytes))
  }
  onReads(context, ({ socket, chunk, deliver }) => {
    if (chunk !== null) return takes({ socket, isGone: () => socket.destroyed, deliver }, chunk)
    const line = lines.get(socket)
    return line !== undefined && !line.isCut && queue(line, () => deliver(null))
  })
  onSessionBytes(context, (session, bytes, deliver) => takes({ ...session, deliver }, bytes))
}
