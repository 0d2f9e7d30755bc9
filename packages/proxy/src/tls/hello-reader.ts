import { NO_HELLO, parseClientHello, type ClientHello } from './client-hello.js'

/** The longest hello that is read, with the headers of its records, in bytes. Browsers send some 2,000. */
export const MAX_HELLO = 32_768

/** Numbers of the record layer: RFC 8446, section 5.1. */
const HANDSHAKE = 22
const RECORD_HEADER = 5
const MAX_RECORD = 16_384
/** Numbers of the handshake: RFC 8446, section 4. */
const CLIENT_HELLO = 1
const MESSAGE_HEADER = 4

/** Reads the hello of a TLS client from its first bytes, in whatever pieces they come. */
export class HelloReader {
  /** All bytes that came, of which the first {@link #length} count. */
  #received: Buffer = Buffer.allocUnsafe(2_048)
  #length = 0
  /** Where the next record begins. */
  #nextRecord = 0
  /** The handshake message, which may take several records. */
  #message: Buffer = Buffer.alloc(0)

  /**
   * Takes bytes, which it copies.
   *
   * @returns What the client says, or `undefined` if more bytes are needed to tell.
   */
  read(bytes: Buffer): ClientHello | undefined {
    this.#append(bytes.subarray(0, MAX_HELLO - this.#length))
    return this.#scan() ?? (this.#length === MAX_HELLO ? NO_HELLO : undefined)
  }

  #scan(): ClientHello | undefined {
    for (;;) {
      const record = this.#received.subarray(this.#nextRecord, this.#length)
      if (!canBeRecord(record)) return NO_HELLO
      if (record.length < RECORD_HEADER) return undefined
      const end = RECORD_HEADER + record.readUInt16BE(3)
      if (record.length < end) return undefined
      this.#nextRecord += end
      this.#message = Buffer.concat([this.#message, record.subarray(RECORD_HEADER, end)])
      const hello = this.#hello()
      if (hello !== undefined) return hello
    }
  }

  #hello(): ClientHello | undefined {
    const message = this.#message
    if (message[0] !== CLIENT_HELLO) return NO_HELLO
    if (message.length < MESSAGE_HEADER) return undefined
    const end = MESSAGE_HEADER + message.readUIntBE(1, 3)
    if (end > MAX_HELLO) return NO_HELLO
    return message.length < end ? undefined : parseClientHello(message.subarray(MESSAGE_HEADER, end))
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length
    if (length > this.#received.length) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_HELLO, 2 * length))
      this.#received.copy(larger, 0, 0, this.#length)
      this.#received = larger
    }
    bytes.copy(this.#received, this.#length)
    this.#length = length
  }
}

/** Whether bytes begin a record of a handshake, as far as they go. */
function canBeRecord(bytes: Buffer): boolean {
  const [type = HANDSHAKE, major = 3] = bytes
  if (type !== HANDSHAKE || major !== 3) return false
  if (bytes.length < RECORD_HEADER) return true
  const length = bytes.readUInt16BE(3)
  return length > 0 && length <= MAX_RECORD
}
