import { parseAddress, type Address } from '../sockets/address.js'

/** What a move changes. */
export interface Move {
  /** Where to listen: `host:port`. */
  readonly listen?: string
  /** The server, as the proxy was given it when it was made: `host:port`, or an origin for an HTTP proxy. */
  readonly upstream?: string
}

/**
 * Reads the addresses of a move.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for one that is none.
 */
export function checkMove({ listen, upstream }: Move): { readonly [Key in keyof Move]: Address | undefined } {
  return {
    listen: listen === undefined ? undefined : parseAddress(listen, 'listen'),
    upstream: upstream === undefined ? undefined : parseAddress(upstream, 'upstream', 1),
  }
}
