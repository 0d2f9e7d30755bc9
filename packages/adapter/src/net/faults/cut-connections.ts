import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { connectionEnd, endConnection } from '../../sockets/connection-end.js'
import { netModule, openConnections, peerOf } from '../../sockets/net.js'

const NAME = 'adapter/cut-connections'
const options = { how: connectionEnd }

/** Options of {@link cutConnections}. */
export type CutConnectionsOptions = OptionsOf<typeof cutConnections>

/**
 * Cuts open connections, once.
 *
 * Models a server that is killed or restarted, or a firewall that drops its state. Each client gets the end of its
 * connection from its own socket and reacts as usual, for example ioredis with `close` and `reconnecting`. Combine it
 * with `refuseConnections` to keep the service down. An operation is a connection; its name is the remote address,
 * `127.0.0.1:6379`. The evidence lists each connection that was cut, and says where Node.js tells of some connections only.
 */
export const cutConnections = defineFault({
  name: NAME,
  kind: 'instant',
  summary: 'Cuts open connections, once.',
  options,
  target: netModule,
  inject(_net, { how }, context) {
    const { sockets, isAll } = openConnections()
    const reach = isAll ? {} : { reach: 'only connections that keep the process alive' }
    for (const socket of sockets) {
      const peer = peerOf(socket)
      if (peer === undefined || !context.operation(peer).shouldInject([socket])) continue
      endConnection(socket, how, NAME)
      context.landed({ peer, how, ...reach })
    }
  },
})
