import { builtin, exempt } from '@chaos/core/authoring'
import importedDns, { type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

const dns = builtin('node:dns', importedDns)

/** Looks a host up, addresses of IPv4 first. Our own faults do not affect it. */
export const lookup: LookupFunction = (host, options, found) => {
  const answer = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[] = []): void => {
    const sorted = [...addresses].sort((one, other) => one.family - other.family)
    const [first] = sorted
    if (error !== null || first === undefined) found(error, '', 0)
    else if (options.all === true) found(null, sorted)
    else found(null, first.address, first.family)
  }
  dns.lookup(host, { ...options, all: true }, exempt(answer))
}

/** The first address of a host, of IPv4 if it has one. An address is its own. */
export function ipOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return Promise.resolve(host)
  return new Promise((resolve, reject) =>
    lookup(host, {}, (error, address) => {
      if (error === null) resolve(address as string)
      else reject(error)
    }),
  )
}
