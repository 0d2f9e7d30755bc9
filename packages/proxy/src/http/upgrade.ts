import type { Socket } from 'node:net'

/** The most bytes of a client that wait for the upstream, before the client is read no further. */
const MAX_EARLY = 65_536

/** A connection of a client that is to speak another protocol. It is read while its request waits, so that its end is noticed. */
export class Upgrade {
  readonly socket: Socket
  readonly #early: Buffer[]
  #earlyBytes: number

  /** @param head What the client has sent behind the head of its request. */
  constructor(socket: Socket, head: Buffer) {
    this.socket = socket
    this.#early = [head]
    this.#earlyBytes = head.length
    socket.on('data', this.#keep).on('end', this.#giveUp)
  }

  /** Leaves the connection, which is paused, to its reader. Returns what has come of it. */
  take(): Buffer {
    this.socket.off('data', this.#keep).off('end', this.#giveUp).pause()
    return Buffer.concat(this.#early.splice(0))
  }

  readonly #keep = (bytes: Buffer): void => {
    this.#early.push(bytes)
    this.#earlyBytes += bytes.length
    if (this.#earlyBytes >= MAX_EARLY) this.socket.pause()
  }

  /** As with any other request, the end of the client's connection means that it gives up. */
  readonly #giveUp = (): void => void this.socket.destroy()
}
