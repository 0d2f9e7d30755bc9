import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { connectionEnd, endConnection } from '../../sockets/connection-end.js'
import { netModule, openConnections, peerOf } from '../../sockets/net.js'

const NAME = 'adapter/cut-connections'
const options = { how: connectionEnd }

/** Options of {@link cutConnections}. */
export type CutConnectionsOptions = OptionsOf<typeof cutConnections>

/**
 * Cuts connections that stand, once.
 *
 * Models a server that is killed or restarted, or a firewall that forgets: each client hears it from its own socket, and does what it does then, such
 * as ioredis' `close` and `reconnecting`. With `refuseConnections` in force meanwhile, it stays down. An operation is a connection; its name is where it
 * leads to, `127.0.0.1:6379`. The evidence names each one that was cut.
 */
export const cutConnections = defineFault({
  name: NAME,
  kind: 'instant',
  summary: 'Cuts connections that stand, once.',
  options,
  target: netModule,
  inject(_net, { how }, context) {
    for (const socket of openConnections()) {
      const peer = peerOf(socket)
      if (peer === undefined || !context.operation(peer).shouldInject([socket])) continue
      endConnection(socket, how, NAME)
      context.landed({ peer, how })
    }
  },
})
