import { defineFault, option, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import net, { type Socket } from 'node:net'
import { connectionEnd, endConnection } from '../../sockets/connection-end.js'
import { affectResponses, type BrokenResponse, type ResponseWire } from '../responses.js'
import { HTTP_TARGET, isHttpTarget, type HttpTarget } from '../target.js'
import { isNetModule, NET_MODULE, peerOf, type NetModule } from '../../sockets/net.js'

const NAME = 'adapter/cut-responses'
const options = {
  afterBytes: option.optional(
    option.count(
      'Bytes of the affected piece, or of the body of the affected response, that still arrive. Default: 0.',
    ),
    0,
  ),
  how: connectionEnd,
}

/** Options of {@link cutResponses}: `afterBytes`, what still arrives of the affected piece or body (default 0); `how`, `reset` (default) or `end`. */
export type CutResponsesOptions = OptionsOf<typeof cutResponses>

/**
 * Cuts a connection in the middle of what the server sends.
 *
 * Models a server that dies while it answers: the client has sent its request, the server did what was asked, and a part of the answer arrives, or
 * with `afterBytes: 0` nothing of it.
 *
 * With `node:net` as target an operation is a piece that was read (up to 64 KiB, as the kernel had it), on whatever connection; its name is where that
 * leads to, `127.0.0.1:6379`. Connections that a server of this process accepted are left alone. With a client or server of HTTP an operation is a request,
 * `GET http://127.0.0.1:8080/items` or, at a server, `GET /items`; a body that is not longer than `afterBytes` arrives whole.
 */
export const cutResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Cuts a connection in the middle of what the server sends.',
  options,
  target: { expects: `${NET_MODULE}, ${HTTP_TARGET}`, accepts: (value) => isNetModule(value) || isHttpTarget(value) },
  inject(target: NetModule | HttpTarget, options, context) {
    if (isNetModule(target)) cutPieces(options, context)
    else affectResponses(target, context, NAME, (wire) => cutBody(wire, options, context))
  },
})

interface Cut {
  readonly afterBytes: number
  readonly how: 'reset' | 'end'
}

function cutBody(wire: ResponseWire, { afterBytes, how }: Cut, context: InjectionContext): BrokenResponse {
  let left = afterBytes
  let isCut = false
  // Who is cut hears of it when the system is asked again; an end that comes meanwhile waits behind it.
  const cut = (): void => void context.hold({ afterMs: 1, order: wire.line, run: () => wire.cut(how) })
  return {
    take(bytes, headBytes, done) {
      if (isCut) return
      const bodyBytes = bytes.length - headBytes
      if (afterBytes > 0 && bodyBytes <= left) {
        left -= bodyBytes
        wire.deliver(bytes, done)
        return
      }
      isCut = true
      if (afterBytes === 0) cut()
      else wire.deliver(bytes.subarray(0, headBytes + left), cut)
    },
  }
}

function cutPieces({ afterBytes, how }: Cut, context: InjectionContext): void {
  const cut = new WeakSet<Socket>()
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
        const [chunk, ...rest] = args
        if (cut.has(this)) return chunk === null ? (below.call.apply(this, args) as boolean) : true
        const peer = chunk === null ? undefined : peerOf(this)
        if (chunk === null || peer === undefined || !context.operation(peer).shouldInject(args))
          return below.call.apply(this, args) as boolean
        cut.add(this)
        // The kernel hands over what it has, and tells of the end when it is asked again.
        context.hold({ afterMs: 0, run: () => endConnection(this, how, NAME) })
        return afterBytes === 0 || (below.call.call(this, chunk.subarray(0, afterBytes), ...rest) as boolean)
      },
  )
}
