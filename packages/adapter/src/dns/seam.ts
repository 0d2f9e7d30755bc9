import dns from 'node:dns'

/** What the faults of lookups break: Node.js' own `dns` module, by which every client in the process finds addresses. */
export interface DnsModule {
  readonly lookup: typeof dns.lookup
  readonly promises: typeof dns.promises
}

/** What such a target must be, in words. */
export const DNS_MODULE = 'the `node:dns` module'

/** Whether a value is the `dns` module by its default export; a namespace cannot be changed. */
export function isDnsModule(value: unknown): value is DnsModule {
  return value === dns
}
