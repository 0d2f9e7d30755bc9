import { ChaosError } from '@chaos/core'

/** A host and a port. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** The longest address: the longest host name, brackets, a colon and a port. */
const MAX_ADDRESS = 262

/**
 * Reads `host:port` or `[ipv6]:port`.
 *
 * @param of The option, for messages.
 * @throws ChaosError `CHAOS_INVALID_OPTION` for anything else.
 */
export function parseAddress(text: string, of: string, minPort = 0): Address {
  const [, six, host = six, digits = ''] = /^(?:\[([\da-f:.%\w]+)\]|([^\s[\]:/]+)):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || text.length > MAX_ADDRESS || port < minPort || port > 65_535) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`${of}\` to be a host and a port from ${minPort} to 65535, such as \`127.0.0.1:6379\` or \`[::1]:6379\`, got \`${text.slice(0, MAX_ADDRESS)}\`.`,
    )
  }
  return { host, port }
}

/** Writes an address: `127.0.0.1:6379` or `[::1]:6379`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** An address of IPv4 as such, also where a socket of IPv6 accepted it (`::ffff:127.0.0.1`). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
