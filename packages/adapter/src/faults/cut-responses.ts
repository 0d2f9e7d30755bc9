import { defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import net, { type Socket } from 'node:net'
import { connectionEnd, endConnection } from '../bindings/connection-end.js'
import { isNetModule, NET_MODULE, peerOf, type NetModule } from '../bindings/net.js'

const NAME = 'adapter/cut-responses'
const schema = optionsSchema({
  afterBytes: option.optional(option.count('Bytes of the affected piece that still arrive. Default: 0.'), 0),
  how: connectionEnd,
})

/** Options of {@link cutResponses}: `afterBytes`, what still arrives of the affected piece (default 0); `how`, `reset` (default) or `end`. */
export type CutResponsesOptions = OptionsOf<typeof cutResponses>

/**
 * Cuts a connection in the middle of what the server sends.
 *
 * Models a server that dies while it answers: the client has sent its request, the server did what was asked, and a part of the answer arrives. An
 * operation is a piece that was read (up to 64 KiB, as the kernel had it); its name is where the connection leads to, `127.0.0.1:6379`. Connections that
 * a server of this process accepted are left alone.
 */
export const cutResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Cuts a connection in the middle of what the server sends.',
  schema,
  expects: NET_MODULE,
  accepts: isNetModule,
  inject(_net: NetModule, { afterBytes, how }, context) {
    const cut = new WeakSet<Socket>()
    context.patch(net.Socket.prototype, 'push', (below) => function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
      const [chunk, ...rest] = args
      if (cut.has(this)) return chunk === null ? (below.call.apply(this, args) as boolean) : true
      const peer = chunk === null ? undefined : peerOf(this)
      if (chunk === null || peer === undefined || !context.operation(peer).shouldInject(args)) return below.call.apply(this, args) as boolean
      cut.add(this)
      // The kernel hands over what it has, and tells of the end when it is asked again.
      context.hold({ afterMs: 0, run: () => endConnection(this, how, NAME) })
      return afterBytes === 0 || (below.call.call(this, chunk.subarray(0, afterBytes), ...rest) as boolean)
    })
  },
})
