import { defineFault, markInjected, option, type OptionsOf, systemError } from '@chaos/core/authoring'
import { netModule } from '../../sockets/net.js'
import { failOperations } from '../../operations/fail.js'
import { connectionSeam } from '../seam.js'

const NAME = 'adapter/refuse-connections'

const outages = {
  'net/econnrefused': 'ECONNREFUSED',
  'net/etimedout': 'ETIMEDOUT',
  'net/ehostunreach': 'EHOSTUNREACH',
} as const

const options = {
  error: option.optional(
    option.oneOf(
      Object.keys(outages) as [keyof typeof outages, ...(keyof typeof outages)[]],
      'How the connection fails.',
    ),
    'net/econnrefused',
  ),
  afterMs: option.optional(option.durationMs('Time until the connection fails, in ms.'), 0),
}

/** Options of {@link refuseConnections}. */
export type RefuseConnectionsOptions = OptionsOf<typeof refuseConnections>

/**
 * Refuses connections that the process opens.
 *
 * Models a server that is down, or unreachable. The fault sends no packet. Node.js itself makes the error from the
 * error number, with the usual events, for every client in the process (`net`, `tls`, `http`, `fetch`, drivers). Open
 * connections are not affected; `cutConnections` ends those. An operation is a connection; its name is the remote
 * address, `127.0.0.1:6379` or `[::1]:6379`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterMs` does not fit a timer.
 */
export const refuseConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses connections that the process opens.',
  options,
  target: netModule,
  inject(target, { error, afterMs }, context) {
    const errorOf = (): Error => markInjected(systemError(outages[error], 'connect'), NAME)
    failOperations(connectionSeam, target, context, errorOf, afterMs)
  },
})
