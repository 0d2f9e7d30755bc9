export type { DnsModule } from './bindings/dns.js'
export { failLookups, type FailLookupsOptions } from './faults/fail-lookups.js'
