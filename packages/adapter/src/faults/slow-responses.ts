import { defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import net, { type Socket } from 'node:net'
import { isNetModule, NET_MODULE, peerOf, type NetModule } from '../bindings/net.js'

const schema = optionsSchema({ delayMs: option.durationMs('Time each affected piece is held back, in ms.') })

/** Options of {@link slowResponses}: `delayMs`, the time that each affected piece is held back. */
export type SlowResponsesOptions = OptionsOf<typeof slowResponses>

/**
 * Holds back what servers send.
 *
 * Models a server or a line under load: requests go out at once, answers come late, piece by piece and in order; the end of a connection waits behind
 * what it follows. An operation is a piece that was read; its name is where the connection leads to, `127.0.0.1:6379`. Connections that a server of
 * this process accepted are left alone. When the fault ends, what is held arrives at once.
 *
 * @see Toxiproxy's `latency` toxic, which does the same between two processes.
 */
export const slowResponses = defineFault({
  name: 'adapter/slow-responses',
  kind: 'standing',
  summary: 'Holds back what servers send.',
  schema,
  expects: NET_MODULE,
  accepts: isNetModule,
  inject(_net: NetModule, { delayMs }, context) {
    // What is held belongs to one connection, and stays in order there.
    const orders = new WeakMap<Socket, symbol>()
    context.patch(net.Socket.prototype, 'push', (below) => function push(this: Socket, ...args: [chunk: Uint8Array | null, encoding?: BufferEncoding]): boolean {
      const run = (): void => {
        if (!this.destroyed) below.call.apply(this, args)
      }
      const order = orders.get(this)
      const peer = args[0] === null ? undefined : peerOf(this)
      if (peer !== undefined && context.operation(peer).shouldInject(args)) {
        const line = order ?? Symbol(peer)
        orders.set(this, line)
        context.hold({ afterMs: delayMs, order: line, run })
        return true
      }
      if (order === undefined || !context.isHolding(order)) return below.call.apply(this, args) as boolean
      context.queue({ order, run })
      return true
    })
  },
})
