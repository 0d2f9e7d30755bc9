import net from 'node:net'
import tls from 'node:tls'

/** What the faults of handshakes break: Node.js' own `tls` module, and with it every client in the process that speaks TLS. */
export interface TlsModule {
  readonly TLSSocket: typeof tls.TLSSocket
}

/** What such a target must be, in words. */
export const TLS_MODULE = 'the `node:tls` module'

/** Whether a value is the `tls` module, by its default export or as a namespace. */
export function isTlsModule(value: unknown): value is TlsModule {
  return typeof value === 'object' && value !== null && 'TLSSocket' in value && value.TLSSocket === tls.TLSSocket
}

/** OpenSSL's side of a connection. */
export interface TlsHandle {
  /** Begins the handshake. */
  start: () => unknown
  /** What is wrong with the other side's certificate, or `null`. */
  verifyError: () => Error | null | undefined
  /** Takes bytes as if they had come from the wire. */
  readonly receive: (bytes: Buffer) => void
}

/** The prototype of all of them. */
export function tlsHandlePrototype(): TlsHandle {
  const socket = new tls.TLSSocket(new net.Socket()) as tls.TLSSocket & { readonly _handle: TlsHandle }
  const prototype = Object.getPrototypeOf(socket._handle) as TlsHandle
  socket.destroy()
  return prototype
}
