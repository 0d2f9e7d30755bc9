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
      'How the connection fails. Default: net/econnrefused.',
    ),
    'net/econnrefused',
  ),
  afterMs: option.optional(option.durationMs('Time until it fails, in ms. Default: 0.'), 0),
}

/** Options of {@link refuseConnections}. */
export type RefuseConnectionsOptions = OptionsOf<typeof refuseConnections>

/**
 * Refuses connections that the process wants to make.
 *
 * Models a server that is down, or behind a network that is: no packet is sent, and Node.js itself makes the error out of what the kernel would
 * have answered, with the events around it, on every path to a socket (`net`, `tls`, `http`, `fetch`, drivers). Connections that stand are left alone:
 * `cutConnections` ends them. An operation is a connection; its name is where it leads to, `127.0.0.1:6379` or `[::1]:6379`.
 */
export const refuseConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses connections that the process wants to make.',
  options,
  target: netModule,
  inject(target, { error, afterMs }, context) {
    const errorOf = (): Error => markInjected(systemError(outages[error], 'connect'), NAME)
    failOperations(connectionSeam, target, context, errorOf, afterMs)
  },
})
