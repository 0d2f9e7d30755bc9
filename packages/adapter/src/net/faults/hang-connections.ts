import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { netModule } from '../../sockets/net.js'
import { hangOperations } from '../../operations/delay.js'
import { connectionSeam } from '../seam.js'

const options = {}

/** Options of {@link hangConnections}. */
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
  target: netModule,
  inject: (target, _options, context) => hangOperations(connectionSeam, target, context),
})
