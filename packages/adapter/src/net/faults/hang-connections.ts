import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { netModule } from '../../sockets/net.js'
import { hangOperations } from '../../operations/delay.js'
import { connectionSeam } from '../seam.js'

const options = {}

/** Options of {@link hangConnections}. */
export type HangConnectionsOptions = OptionsOf<typeof hangConnections>

/**
 * Leaves connections hanging before their first packet, until the fault ends or the client gives up.
 *
 * Models packets that a firewall drops: no reply comes, and the application gets the timeout error of its own driver.
 * When the fault ends, held connections are opened at once. An operation is a connection; its name is the remote
 * address, `127.0.0.1:6379`.
 */
export const hangConnections = defineFault({
  name: 'adapter/hang-connections',
  kind: 'standing',
  summary: 'Leaves connections hanging before their first packet, until the fault ends or the client gives up.',
  options,
  target: netModule,
  inject: (target, _options, context) => hangOperations(connectionSeam, target, context),
})
