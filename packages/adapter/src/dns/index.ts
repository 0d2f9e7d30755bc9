export type { DnsModule } from './seam.js'
// #region faults: written by `npm run sync`
export { failLookups, type FailLookupsOptions } from './faults/fail-lookups.js'
// #endregion
