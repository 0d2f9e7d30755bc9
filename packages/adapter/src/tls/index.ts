export type { TlsModule } from './seam.js'
// #region faults: written by `npm run sync`
export { failHandshakes, type FailHandshakesOptions } from './faults/fail-handshakes.js'
// #endregion
