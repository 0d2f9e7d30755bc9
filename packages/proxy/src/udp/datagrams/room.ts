/** The room for datagrams that a proxy holds, in number and bytes, like the queue of a router. */
export class Room {
  #datagrams = 0
  #bytes = 0

  constructor(
    readonly maxDatagrams: number,
    readonly maxBytes: number,
  ) {}

  /** Takes room for a datagram. Returns whether there was any. */
  take(bytes: number): boolean {
    if (this.#datagrams >= this.maxDatagrams || this.#bytes + bytes > this.maxBytes) return false
    this.#datagrams += 1
    this.#bytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#datagrams -= 1
    this.#bytes -= bytes
  }
}
