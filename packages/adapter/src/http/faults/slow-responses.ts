import { defineFault, option, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { affectResponses, type BrokenResponse, type ResponseWire } from '../responses.js'
import { HTTP_TARGET, isHttpTarget, type HttpTarget } from '../target.js'
import { isNetModule, NET_MODULE, peerOf, type NetModule } from '../../sockets/net.js'
import { Trickle, type TrickleOptions } from '../split-chunks.js'

const NAME = 'adapter/slow-responses'
const options = {
  delayMs: option.durationMs('Time each affected piece is held back, in ms.'),
  pieceBytes: option.optional(
    option.count(
      'Makes a trickle: pieces of so many bytes, each `delayMs` behind the one before it. Default: pieces as they come, each `delayMs` late.',
      1,
    ),
  ),
}

/**
 * Options of {@link slowResponses}: `delayMs`, the time that each affected piece is held back; `pieceBytes`, which makes a trickle: pieces of so many
 * bytes, each `delayMs` behind the one before it (default: pieces as they come, each `delayMs` late).
 */
export type SlowResponsesOptions = OptionsOf<typeof slowResponses>

/**
 * Holds back what servers send.
 *
 * Models a server or a line under load: requests go out at once, answers come late, piece by piece and in order; the end of a connection waits behind
 * what it follows. When the fault ends, what is held arrives at once.
 *
 * With `node:net` as target an operation is a piece that was read, on whatever connection; its name is where that leads to, `127.0.0.1:6379`. Connections that a
 * server of this process accepted are left alone. With a client or server of HTTP an operation is a request, `GET http://127.0.0.1:8080/items` or, at a
 * server, `GET /items`, and all pieces of its response are held back; the head comes with the first.
 *
 * @see Toxiproxy's `latency` and `slicer` toxics, which do the same between two processes.
 */
export const slowResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Holds back what servers send.',
  options,
  target: { expects: `${NET_MODULE}, ${HTTP_TARGET}`, accepts: (value) => isNetModule(value) || isHttpTarget(value) },
  inject(target: NetModule | HttpTarget, options, context) {
    if (isNetModule(target)) slowPieces(options, context)
    else affectResponses(target, context, NAME, (wire) => slowBody(wire, options, context))
  },
})

function slowBody(wire: ResponseWire, options: TrickleOptions, context: InjectionContext): BrokenResponse {
  const trickle = new Trickle(context.clock, options)
  return {
    take(bytes, headBytes, done) {
      const pieces = trickle.pieces(bytes, headBytes)
      for (const [index, { piece, afterMs }] of pieces.entries()) {
        const deliver = (): void => wire.deliver(piece, index === pieces.length - 1 ? done : undefined)
        context.hold({ afterMs, order: wire.line, run: deliver })
      }
    },
  }
}

function slowPieces(options: TrickleOptions, context: InjectionContext): void {
  // What is held belongs to one connection, and stays in order there.
  const lines = new WeakMap<Socket, { readonly order: symbol; readonly trickle: Trickle }>()
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
        const [chunk, ...rest] = args
        const runWith = (bytes: Uint8Array | null) => (): void => {
          if (!this.destroyed) below.call.call(this, bytes, ...rest)
        }
        let line = lines.get(this)
        const peer = chunk === null ? undefined : peerOf(this)
        if (chunk !== null && peer !== undefined && context.operation(peer).shouldInject(args)) {
          if (line === undefined)
            lines.set(this, (line = { order: Symbol(peer), trickle: new Trickle(context.clock, options) }))
          for (const { piece, afterMs } of line.trickle.pieces(Buffer.from(chunk)))
            context.hold({ afterMs, order: line.order, run: runWith(piece) })
          return true
        }
        if (line === undefined || !context.isHolding(line.order)) return below.call.apply(this, args) as boolean
        context.queue({ order: line.order, run: runWith(chunk) })
        return true
      },
  )
}
