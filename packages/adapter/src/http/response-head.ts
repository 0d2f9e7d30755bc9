/** Finds the end of a response head in the bytes of a connection. Interim responses (status 1xx) belong to the head. */
export class ResponseHead {
  #head = ''
  #isOver = false

  /** Returns how many bytes at the front of the next bytes belong to the head. */
  lengthIn(bytes: Uint8Array): number {
    if (this.#isOver) return 0
    const known = this.#head.length
    this.#head += Buffer.from(bytes).toString('latin1')
    for (let from = 0; ;) {
      const end = this.#head.indexOf('\r\n\r\n', from)
      if (end === -1) return bytes.length
      const isInterim = /^HTTP\/1\.\d 1\d\d/.test(this.#head.slice(from))
      from = end + 4
      if (isInterim) continue
      this.#isOver = true
      this.#head = ''
      return from - known
    }
  }
}
