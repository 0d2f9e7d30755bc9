import { isHostName } from './host-name.js'

/** What a client says when it begins TLS. */
export interface ClientHello {
  /** The server that it asks for (SNI), in lower case. */
  readonly serverName: string | undefined
  /** The protocols that it offers (ALPN), the one that it prefers first. */
  readonly alpnProtocols: readonly string[]
}

/** What a client says that does not begin TLS, or not in a way that can be read. */
export const NO_HELLO: ClientHello = Object.freeze({ serverName: undefined, alpnProtocols: Object.freeze([]) })

/** The numbers of extensions: RFC 6066, section 3, and RFC 7301, section 3.1. */
const SERVER_NAME = 0
const ALPN = 16
/** The type of a name that is a host name. */
const HOST_NAME = 0

/**
 * Reads the body of a ClientHello (RFC 8446, section 4.1.2; the same in older versions of TLS).
 *
 * Unknown extensions and GREASE are skipped. With Encrypted Client Hello, the name is the outer one.
 *
 * @param body The message without its type and length.
 * @returns {@link NO_HELLO} if it cannot be read.
 */
export function parseClientHello(body: Buffer): ClientHello {
  try {
    return parse(new Cursor(body))
  } catch {
    return NO_HELLO
  }
}

function parse(body: Cursor): ClientHello {
  // The version and the random bytes.
  body.bytes(34)
  // The session id, the cipher suites and the compression methods.
  body.vector(1)
  body.vector(2)
  body.vector(1)
  let { serverName, alpnProtocols } = NO_HELLO
  const extensions = new Cursor(body.isAtEnd ? Buffer.alloc(0) : body.vector(2))
  while (!extensions.isAtEnd) {
    const type = extensions.number(2)
    const content = extensions.vector(2)
    if (type === SERVER_NAME) serverName = nameIn(new Cursor(content))
    else if (type === ALPN) alpnProtocols = protocolsIn(new Cursor(content))
  }
  return Object.freeze({ serverName, alpnProtocols })
}

function nameIn(extension: Cursor): string | undefined {
  const names = new Cursor(extension.vector(2))
  while (!names.isAtEnd) {
    const type = names.number(1)
    const name = names.vector(2).toString('latin1')
    if (type === HOST_NAME) return isHostName(name) ? name.toLowerCase() : undefined
  }
  return undefined
}

function protocolsIn(extension: Cursor): readonly string[] {
  const list = new Cursor(extension.vector(2))
  const protocols: string[] = []
  while (!list.isAtEnd) {
    const name = list.vector(1).toString('latin1')
    // RFC 7301 forbids it, and Node.js aborts the process that offers one to a server.
    if (name === '') throw new RangeError('The name of a protocol is empty.')
    protocols.push(name)
  }
  return Object.freeze(protocols)
}

/** Reads numbers and vectors, one after the other. Throws where the bytes end. */
class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  number(size: number): number {
    return this.bytes(size).readUIntBE(0, size)
  }

  bytes(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new RangeError('The message is too short.')
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  /** Bytes behind their number, which takes `size` bytes. */
  vector(size: number): Buffer {
    return this.bytes(this.number(size))
  }
}
