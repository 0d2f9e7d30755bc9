import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { netModule } from '../../sockets/net.js'
import { delayOperations } from '../../operations/delay.js'
import { connectionSeam } from '../seam.js'

const options = { delayMs: option.durationMs('Time that each affected connection is held back, in ms.') }

/** Options of {@link delayConnections}. */
export type DelayConnectionsOptions = OptionsOf<typeof delayConnections>

/**
 * Delays connections before their first packet.
 *
 * Models a server whose queue of new connections is full, or a distant server. The client's own timeouts run meanwhile,
 * and a client that gives up gets its own error. When the fault ends, held connections are opened at once. An operation
 * is a connection; its name is the remote address, `127.0.0.1:6379`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `delayMs` does not fit a timer.
 */
export const delayConnections = defineFault({
  name: 'adapter/delay-connections',
  kind: 'standing',
  summary: 'Delays connections before their first packet.',
  options,
  target: netModule,
  inject: (target, { delayMs }, context) => delayOperations(connectionSeam, target, context, () => delayMs),
})
