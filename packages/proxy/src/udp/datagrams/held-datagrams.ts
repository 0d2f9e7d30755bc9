import type { Cancel, Clock } from '@chaos/core'
import { Heap } from '../../queue/heap.js'
import type { Datagram, Route } from './route.js'

/** A datagram that is held back. */
export interface HeldDatagram {
  readonly datagram: Datagram
  readonly dueAt: number
  /** The order of arrival. */
  readonly sequence: number
  hasLeft: boolean
}

/** Times are sums of fractions. Less than a microsecond is a rounding error. */
const ROUNDING_MS = 0.001

/** The datagrams that one fault holds back, whatever their session, with one timer for all of them. */
export class HeldDatagrams {
  readonly #clock: Clock
  readonly #give: (datagram: Datagram) => void
  readonly #heap = new Heap<HeldDatagram>(isEarlier)
  readonly #lines = new Map<Route, { length: number; dueAt: number }>()
  #sequence = 0
  #length = 0
  #timer: { readonly dueAt: number; readonly cancel: Cancel } | undefined

  /** @param give Takes a datagram that is due. It is not held any more. */
  constructor(clock: Clock, give: (datagram: Datagram) => void) {
    this.#clock = clock
    this.#give = give
  }

  get length(): number {
    return this.#length
  }

  /** When the last datagram of a route is due. `undefined`: none is held. */
  lastDueAt(route: Route): number | undefined {
    return this.#lines.get(route)?.dueAt
  }

  hold(datagram: Datagram, dueAt: number): HeldDatagram {
    const { route } = datagram
    const held: HeldDatagram = { datagram, dueAt, sequence: (this.#sequence += 1), hasLeft: false }
    const line = this.#lines.get(route)
    if (line === undefined) this.#lines.set(route, { length: 1, dueAt })
    else {
      line.length += 1
      line.dueAt = Math.max(line.dueAt, dueAt)
    }
    this.#length += 1
    this.#heap.push(held)
    this.#setTimer()
    return held
  }

  /** Gives a datagram on before it is due. */
  giveNow(held: HeldDatagram): void {
    if (!this.#leave(held)) return
    this.#heap.take((one) => one === held)
    this.#setTimer()
    this.#give(held.datagram)
  }

  /** Gives everything on, in order of arrival. */
  release(): void {
    for (const held of this.#takeAll(() => true)) {
      if (this.#leave(held)) this.#give(held.datagram)
    }
  }

  /** Takes out the datagrams of some routes, in order of arrival. */
  take(passes: (route: Route) => boolean): readonly Datagram[] {
    return this.#takeAll(({ datagram }) => passes(datagram.route))
      .filter((held) => this.#leave(held))
      .map(({ datagram }) => datagram)
  }

  #takeAll(passes: (held: HeldDatagram) => boolean): readonly HeldDatagram[] {
    const taken = [...this.#heap.take(passes)].sort((one, other) => one.sequence - other.sequence)
    this.#setTimer()
    return taken
  }

  /** Counts a datagram as given on. Returns whether it was held. */
  #leave(held: HeldDatagram): boolean {
    if (held.hasLeft) return false
    held.hasLeft = true
    this.#length -= 1
    const { route } = held.datagram
    const line = this.#lines.get(route)
    if (line !== undefined && (line.length -= 1) === 0) this.#lines.delete(route)
    return true
  }

  #setTimer(): void {
    const { first } = this.#heap
    // A timer that fires early does no harm: it is set again.
    if (first !== undefined && this.#timer !== undefined && this.#timer.dueAt <= first.dueAt) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (first === undefined) return
    const { dueAt } = first
    this.#timer = { dueAt, cancel: this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => this.#wake()) }
  }

  #wake(): void {
    this.#timer = undefined
    const now = this.#clock.now() + ROUNDING_MS
    for (let { first } = this.#heap; first !== undefined && first.dueAt <= now; { first } = this.#heap) {
      this.#heap.shift()
      if (this.#leave(first)) this.#give(first.datagram)
    }
    this.#setTimer()
  }
}

function isEarlier(one: HeldDatagram, other: HeldDatagram): boolean {
  return one.dueAt === other.dueAt ? one.sequence < other.sequence : one.dueAt < other.dueAt
}
