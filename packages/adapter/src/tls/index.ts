export type { TlsModule } from './seam.js'
export { failHandshakes, type FailHandshakesOptions } from './faults/fail-handshakes.js'
