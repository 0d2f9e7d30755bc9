export type { DnsModule } from './seam.js'
export { failLookups, type FailLookupsOptions } from './faults/fail-lookups.js'
