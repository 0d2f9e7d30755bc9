import type { Datagram } from '../datagrams/route.js'

/** The most datagrams that the system has not taken yet, and their bytes: the queue of a socket. */
const MAX_SENDING = 1_024
const MAX_SENDING_BYTES = 4_194_304

/** Gives a payload to the system. */
export type SendPayload = (payload: Buffer, done: (error: NodeJS.ErrnoException | null) => void) => void

/** Sends the datagrams of one socket, and counts what became of each. */
export class DatagramOutlet {
  readonly #onRefused: () => void
  readonly #sending = new Set<Datagram>()
  #bytes = 0

  /** @param onRefused Called when sending meets a refusal of the receiver. */
  constructor(onRefused: () => void) {
    this.#onRefused = onRefused
  }

  send(datagram: Datagram, socketSend: SendPayload): void {
    const { route, payload } = datagram
    if (this.#sending.size >= MAX_SENDING || this.#bytes + payload.length > MAX_SENDING_BYTES) {
      route.drop('queueFull')
      return
    }
    this.#sending.add(datagram)
    this.#bytes += payload.length
    this.#try(datagram, socketSend, true)
  }

  /** Drops what the system has not taken, since the socket is closed. */
  close(): void {
    for (const datagram of this.#sending) {
      this.#forget(datagram)
      datagram.route.drop('closed')
    }
  }

  #try(datagram: Datagram, socketSend: SendPayload, mayRetry: boolean): void {
    try {
      socketSend(datagram.payload, (error) => this.#done(datagram, socketSend, mayRetry, error))
    } catch {
      // The socket is closed.
      this.#forget(datagram)
      datagram.route.drop('closed')
    }
  }

  #done(
    datagram: Datagram,
    socketSend: SendPayload,
    mayRetry: boolean,
    error: NodeJS.ErrnoException | null | undefined,
  ): void {
    if (!this.#sending.has(datagram)) return
    if (error?.code === 'ECONNREFUSED') {
      this.#onRefused()
      // The refusal of an earlier datagram, reported now. The system has not sent this one.
      if (mayRetry) {
        this.#try(datagram, socketSend, false)
        return
      }
    }
    this.#forget(datagram)
    if (error === null || error === undefined) datagram.route.leave()
    else datagram.route.drop('unsent')
  }

  #forget(datagram: Datagram): void {
    this.#sending.delete(datagram)
    this.#bytes -= datagram.payload.length
  }
}
