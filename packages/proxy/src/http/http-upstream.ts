import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'
import { parseAddress, type Address } from '../sockets/address.js'
import { upstreamTls, type HttpUpstreamTlsOptions, type Secure } from './upstream-tls.js'

/** The service that an HTTP proxy stands before. */
export interface HttpUpstream {
  readonly url: URL
  readonly address: Address
  /** Speaks TLS to it, if it does. */
  readonly secure: Secure | undefined
}

/**
 * Reads the origin of a service.
 *
 * @param tls How to speak TLS to it.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for one that is none, for options of TLS where it speaks none, and for invalid ones.
 */
export function httpUpstream(origin: string, tls: HttpUpstreamTlsOptions | undefined): HttpUpstream {
  const url = parseOrigin(origin)
  const isSecure = url.protocol === 'https:'
  if (tls !== undefined && !isSecure)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`upstream\` to begin with \`https:\` where \`upstreamTls\` is given, got \`${printable(origin)}\`.`,
    )
  const address = parseAddress(`${url.hostname}:${url.port || (isSecure ? '443' : '80')}`, 'upstream', 1)
  return { url, address, secure: isSecure ? upstreamTls(tls ?? {}, address.host) : undefined }
}

function parseOrigin(text: string): URL {
  const url = originOf(text)
  if (url === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`upstream\` to be an origin such as \`http://127.0.0.1:3000\`, without a path, got \`${printable(text)}\`.`,
    )
  return url
}

function originOf(text: string): URL | undefined {
  try {
    const url = new URL(text)
    const isOrigin =
      /^https?:$/.test(url.protocol) && `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` === '/'
    return isOrigin ? url : undefined
  } catch {
    return undefined
  }
}
