import { ChaosError } from '@chaos/core'
import type { ServerOptions } from 'node:https'
import type { SecureContext } from 'node:tls'
import { secureContext } from '../tls/secure-context.js'
import { caOf, checkTls, type TlsOptions } from '../tls/tls-options.js'

/** How an HTTP proxy speaks TLS to its clients. It needs `authority`, or `cert` and `key`. */
export type HttpTlsOptions = Omit<TlsOptions, 'alpnProtocols'>

/** The most server names whose certificates are kept. */
const MAX_NAMES = 100

/**
 * The options of an HTTPS server.
 *
 * @param host Where it listens.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, or certificates and keys that are none or do not fit.
 */
export function clientTls(given: unknown, host: string): ServerOptions {
  const { authority, cert = '', key = '', clientCa, alpnProtocols } = checkTls(given, 'createHttpProxy')
  if (alpnProtocols !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'Expected `tls` of createHttpProxy to have no `alpnProtocols`: an HTTP proxy speaks HTTP/1.1 only. Leave it out.',
    )
  const trusted = caOf(clientCa)
  const identity = authority?.serverIdentity([...new Set([host, 'localhost', '127.0.0.1', '::1'])]) ?? { cert, key }
  // What is no certificate, or no key of it, is refused before anybody connects.
  secureContext({ ...identity, ...trusted }, 'tls')
  const shared = { ...identity, ...trusted, requestCert: clientCa !== undefined, rejectUnauthorized: true }
  if (authority === undefined) return shared
  const contexts = new Map<string, SecureContext>()
  const contextOf = (name: string): SecureContext => {
    const known = contexts.get(name)
    if (known !== undefined) return known
    const context = secureContext({ ...authority.serverIdentity(name), ...trusted }, 'tls')
    if (contexts.size >= MAX_NAMES) contexts.clear()
    contexts.set(name, context)
    return context
  }
  return {
    ...shared,
    SNICallback(name, done) {
      try {
        done(null, contextOf(name))
      } catch (error) {
        // What a client asks for need not be a name.
        done(error as Error)
      }
    },
  }
}
