import type { Stream } from '../../links/stage.js'
import { noDatagrams, type DatagramCounters, type DropCounters, type DropReason } from './account.js'

/** What faults know of a datagram. The predicate `only` gets it as the first argument. */
export interface DatagramInfo extends SessionInfo {
  /** `upstream`: from the client to the server; `downstream`: from the server to the client. */
  readonly stream: Stream
  /** Its bytes, to read. */
  readonly payload: Buffer
}

/** A client, and its own socket to the server. */
export interface SessionInfo {
  /** The number of the session at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  /** The address of the client: `127.0.0.1`. */
  readonly clientAddress: string
  readonly clientPort: number
}

/** A datagram on its way through a proxy. */
export interface Datagram {
  readonly route: Route
  readonly payload: Buffer
}

/** The counters of a proxy, which all its routes add to. */
export interface Totals {
  readonly account: DatagramCounters
  readonly drops: DropCounters
}

/** One direction of a session. It counts what becomes of each of its datagrams: it comes, and then it leaves or is dropped. */
export class Route {
  readonly account = noDatagrams()
  /** The same for the same client in the next run, by which faults draw random numbers. */
  readonly key: string
  readonly #totals: Totals

  /** @param send Gives a datagram to the system, which then leaves or is dropped. */
  constructor(
    readonly session: SessionInfo,
    readonly stream: Stream,
    totals: Totals,
    readonly send: (datagram: Datagram) => void,
  ) {
    this.key = `${stream} ${session.ordinal}`
    this.#totals = totals
  }

  /** A datagram has come. */
  enter(payload: Buffer): Datagram {
    this.#count('datagramsIn', 1)
    this.#count('datagramsHeld', 1)
    return { route: this, payload }
  }

  /** A fault has made a copy. */
  copy({ payload }: Datagram): Datagram {
    this.#count('datagramsDuplicated', 1)
    this.#count('datagramsHeld', 1)
    return { route: this, payload }
  }

  /** The system has taken a datagram. */
  leave(): void {
    this.#count('datagramsHeld', -1)
    this.#count('datagramsOut', 1)
  }

  drop(reason: DropReason): void {
    this.#count('datagramsHeld', -1)
    this.#count('datagramsDropped', 1)
    this.#totals.drops[reason] += 1
  }

  #count(name: keyof DatagramCounters, by: number): void {
    this.account[name] += by
    this.#totals.account[name] += by
  }
}
