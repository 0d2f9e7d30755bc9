import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { addBytes, noBytes, type ByteAccount, type ByteCounters } from '../links/byte-account.js'
import type { Stream } from '../links/stage.js'
import { Body } from './body.js'
import type { Encounters } from './encounters.js'
import { trailersOf } from './messages.js'
import type { HowToEnd } from './request-fault.js'
import type { Tunnel } from './tunnel.js'

/** The bodies of a request and of its answer, and what became of their bytes. */
export class Bodies {
  /** The bytes of a connection that speaks another protocol. */
  tunnel: Tunnel | undefined
  readonly #encounters: Encounters
  readonly #maxHeldBytes: number
  readonly #onCut: (how: HowToEnd) => void
  readonly #bodies: Partial<Record<Stream, Body>> = {}
  readonly #discarded: Readonly<Record<Stream, ByteCounters>> = { upstream: noBytes(), downstream: noBytes() }

  /** @param onCut Called when a body has ended out of order, behind what has passed of it. */
  constructor(encounters: Encounters, maxHeldBytes: number, onCut: (how: HowToEnd) => void) {
    this.#encounters = encounters
    this.#maxHeldBytes = maxHeldBytes
    this.#onCut = onCut
  }

  /** What became of the bytes of one of the two. */
  accountOf(stream: Stream): ByteAccount {
    const sum = { ...this.#discarded[stream] }
    for (const body of [this.#bodies[stream], this.tunnel?.bodies[stream]]) {
      if (body !== undefined) addBytes(sum, body.account)
    }
    return sum
  }

  /**
   * Passes a body on, through the faults.
   *
   * @returns A function that ends the body out of order, behind what has come of it.
   */
  carry(of: Stream, source: IncomingMessage, sink: ClientRequest | ServerResponse): (how: HowToEnd) => void {
    let how: HowToEnd = 'close'
    const endsWith = (given: HowToEnd): void => {
      how = given
    }
    const body = new Body(source, sink, this.#maxHeldBytes, (ending) => {
      if (ending === 'end') {
        sink.addTrailers(trailersOf(source))
        sink.end()
      } else this.#onCut(how)
    })
    this.#bodies[of] = body
    this.#encounters.carry(of, body, endsWith)
    return (given) => {
      how = given
      body.link.end('close')
    }
  }

  /** Reads a body that nobody gets. */
  discard(of: Stream, message: IncomingMessage): void {
    const account = this.#discarded[of]
    message.on('data', ({ length }: Buffer) => {
      account.bytesIn += length
      account.bytesDropped += length
    })
  }

  /** Reads the rest of a body whose receiver is gone. */
  discardRest(of: Stream): void {
    this.#bodies[of]?.discard()
  }

  /** Counts as dropped what the system never took. Both sides are closed. */
  abandon(): void {
    const bodies = [...Object.values(this.#bodies), ...Object.values(this.tunnel?.bodies ?? {})]
    for (const body of bodies) body.abandon()
  }
}
