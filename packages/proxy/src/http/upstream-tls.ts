import { builtin, exempt } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import importedTls from 'node:tls'
import { secureContext } from '../tls/secure-context.js'
import { caOf, checkUpstreamTls, type UpstreamTlsOptions } from '../tls/tls-options.js'
import { carriedBy } from './carrier.js'

const net = builtin('node:net', importedNet)
const tls = builtin('node:tls', importedTls)

/** How an HTTP proxy speaks TLS to the service. */
export type HttpUpstreamTlsOptions = Omit<UpstreamTlsOptions, 'alpnProtocols'>

/** Speaks TLS on a connection to the upstream. */
export type Secure = (connection: Socket) => Socket

/**
 * Prepares to speak TLS to the upstream.
 *
 * @param host The host of the upstream, which its certificate has to name.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, or certificates and keys that are none or do not fit.
 */
export function upstreamTls(given: unknown, host: string): Secure {
  const { ca, cert, key, serverName = host, rejectUnauthorized } = checkUpstreamTls(given, 'createHttpProxy')
  const context = secureContext({ ...caOf(ca), ...(cert === undefined ? {} : { cert, key }) }, 'upstreamTls')
  return (connection) => {
    const secure = tls.connect({
      socket: connection,
      secureContext: context,
      rejectUnauthorized,
      // An address is checked, but it is no name to ask for.
      host: serverName,
      ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
      ALPNProtocols: ['http/1.1'],
    })
    connection.on('error', (error) => secure.destroy(error))
    carriedBy(secure, connection)
    return exempt(secure)
  }
}
