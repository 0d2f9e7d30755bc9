import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { isNetModule, NET_MODULE, type NetModule } from '../../sockets/net.js'
import { affectConnecting } from '../seam.js'

const options = {}

/** Options of {@link hangConnections}: none. */
export type HangConnectionsOptions = OptionsOf<typeof hangConnections>

/**
 * Lets connections hang before their first packet, until the fault ends or the client gives up.
 *
 * Models packets that a firewall drops: nothing comes back, and what the application hears is the timeout of its own driver, made by that driver.
 * When the fault ends, what is still held is connected at once. An operation is a connection; its name is where it leads to, `127.0.0.1:6379`.
 */
export const hangConnections = defineFault({
  name: 'adapter/hang-connections',
  kind: 'standing',
  summary: 'Lets connections hang before their first packet.',
  options,
  target: { expects: NET_MODULE, accepts: isNetModule },
  inject: (_net: NetModule, _options, context) => affectConnecting(context, { afterMs: Number.POSITIVE_INFINITY }),
})
