import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { netModule } from '../../sockets/net.js'
import { delayOperations } from '../../operations/delay.js'
import { connectionSeam } from '../seam.js'

const options = { delayMs: option.durationMs('Time each affected connection is held back, in ms.') }

/** Options of {@link delayConnections}. */
export type DelayConnectionsOptions = OptionsOf<typeof delayConnections>

/**
 * Holds connections back before their first packet.
 *
 * Models a server whose queue of new connections is full, or a far one: the client's own timeouts run meanwhile, and whoever gives up gets the error
 * of its own. When the fault ends, what is held is connected at once. An operation is a connection; its name is where it leads to, `127.0.0.1:6379`.
 */
export const delayConnections = defineFault({
  name: 'adapter/delay-connections',
  kind: 'standing',
  summary: 'Holds connections back before their first packet.',
  options,
  target: netModule,
  inject: (target, { delayMs }, context) => delayOperations(connectionSeam, target, context, () => delayMs),
})
