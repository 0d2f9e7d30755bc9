/**
 * Finds the end of a response head in the bytes of a connection. Interim responses (status 1xx) belong to the head. It
 * remembers a status line only, so a head that never ends costs no memory.
 */
export class ResponseHead {
  readonly #isConnect: boolean
  /** The first bytes of the current head, up to its status. */
  #status = ''
  /** Whether the bytes before end a line, a carriage return aside. */
  #isLineEnd = false
  #isOver = false
  #isTunnel = false

  /** @param method The method of the request. */
  constructor(method: string) {
    this.#isConnect = method === 'CONNECT'
  }

  /**
   * Whether the head is over and what follows it is no response: the connection speaks another protocol (status 101), or
   * leads to another server (a successful CONNECT).
   */
  get isTunnel(): boolean {
    return this.#isTunnel
  }

  /** Returns how many bytes at the front of the next bytes belong to the head. */
  lengthIn(bytes: Uint8Array): number {
    if (this.#isOver) return 0
    for (const [index, byte] of bytes.entries()) {
      if (this.#status.length < STATUS_LENGTH) this.#status += String.fromCharCode(byte)
      if (byte === CARRIAGE_RETURN) continue
      if (byte !== LINE_FEED || !this.#isLineEnd) {
        this.#isLineEnd = byte === LINE_FEED
        continue
      }
      this.#end()
      if (this.#isOver as boolean) return index + 1
    }
    return bytes.length
  }

  #end(): void {
    const code = Number(this.#status.slice(STATUS_AT))
    this.#status = ''
    this.#isLineEnd = false
    if (code >= 100 && code < 200 && code !== 101) return
    this.#isOver = true
    this.#isTunnel = code === 101 || (this.#isConnect && code >= 200 && code < 300)
  }
}

/** `HTTP/1.1 200`: where its status begins, and its length. */
const STATUS_AT = 'HTTP/1.1 '.length
const STATUS_LENGTH = STATUS_AT + 3
const CARRIAGE_RETURN = 13
const LINE_FEED = 10
