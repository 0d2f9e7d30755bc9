export type { TlsModule } from './bindings/tls.js'
export { failHandshakes, type FailHandshakesOptions } from './faults/fail-handshakes.js'
