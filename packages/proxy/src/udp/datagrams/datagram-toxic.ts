import type { Held, InjectionContext } from '@chaos/core/authoring'
import type { Stream } from '../../links/stage.js'
import type { StreamChoice } from '../../toxics/toxic.js'
import { DATAGRAM_COUNTERS, type DatagramCounters } from './account.js'
import { HeldDatagrams, type HeldDatagram } from './held-datagrams.js'
import type { Room } from './room.js'
import type { Datagram, DatagramInfo, Route } from './route.js'

/** What a fault can do with a datagram. Each method updates the accounts. */
interface Traffic {
  /** Lets a datagram go on. */
  readonly pass: (datagram: Datagram) => void
  readonly drop: (datagram: Datagram) => void
  /**
   * Holds a datagram for `afterMs`, or until the fault ends. It is dropped instead if the proxy holds as many datagrams or
   * bytes as it may, or its fault as many bytes of this direction as `maxBytes`.
   *
   * @returns `undefined` if it has gone on at once, or was dropped.
   */
  readonly hold: (datagram: Datagram, afterMs: number, maxBytes?: number) => HeldDatagram | undefined
  /** Gives a held datagram on before its time. Does nothing if it has left. */
  readonly giveNow: (held: HeldDatagram) => void
  /** Makes a copy, which is under way like the original. */
  readonly copy: (datagram: Datagram) => Datagram
}

/** What a fault does with datagrams. */
export interface DatagramBehaviour {
  /** What it does with a datagram that it affects. */
  readonly affect: (datagram: Datagram, traffic: Traffic) => void
  /** Whether it can affect a datagram that was chosen. Otherwise the datagram passes and is no hit. Default: it can. */
  readonly applies?: ((datagram: Datagram) => boolean) | undefined
  /** Called when a datagram that it does not affect has gone on. */
  readonly passed?: ((datagram: Datagram, traffic: Traffic) => void) | undefined
  /** Whether no datagram overtakes a held one of its session and direction. Default `false`. */
  readonly keepsOrder?: boolean | undefined
}

/** What a toxic needs of its proxy. */
export interface ToxicPlace {
  /** Gives a datagram to the next toxic, or to the system. */
  readonly next: (datagram: Datagram) => void
  /** The room for held datagrams. */
  readonly room: Room
}

/** A fault in force on a UDP proxy. It decides about each datagram alone. */
export class DatagramToxic implements Traffic {
  readonly id: string
  /** The name of the fault. */
  readonly fault: string
  readonly options: Readonly<Record<string, unknown>>
  readonly stream: StreamChoice
  readonly account: DatagramCounters
  readonly #context: InjectionContext
  readonly #behaviour: DatagramBehaviour
  readonly #held: HeldDatagrams
  readonly #heldBytes: Record<Stream, number> = { upstream: 0, downstream: 0 }
  readonly #hits = new WeakMap<Route, number>()
  /** Work of the injection that is held as long as datagrams are: it is released first when the injection ends. */
  #inForce: Held | undefined
  #place: ToxicPlace | undefined

  constructor(
    fault: string,
    options: Readonly<Record<string, unknown>> & { readonly stream: StreamChoice },
    context: InjectionContext,
    behaviour: DatagramBehaviour,
  ) {
    this.id = context.id
    this.fault = fault
    this.options = options
    this.stream = options.stream
    this.account = context.account(...DATAGRAM_COUNTERS)
    this.#context = context
    this.#behaviour = behaviour
    this.#held = new HeldDatagrams(context.clock, (datagram) => this.#giveOn(datagram))
  }

  /** Begins on a proxy. */
  enter(place: ToxicPlace): void {
    this.#place = place
  }

  /** The number of datagrams of a route that it has affected. */
  hitsOf(route: Route): number {
    return this.#hits.get(route) ?? 0
  }

  /** Takes a datagram that has reached it. */
  take(datagram: Datagram): void {
    const { route } = datagram
    if (this.stream !== 'both' && this.stream !== route.stream) {
      this.#next(datagram)
      return
    }
    this.account.datagramsIn += 1
    this.account.datagramsHeld += 1
    if (this.#isHit(datagram)) {
      this.#hits.set(route, this.hitsOf(route) + 1)
      this.#behaviour.affect(datagram, this)
      return
    }
    this.#passUnaffected(datagram)
  }

  pass = (datagram: Datagram): void => {
    this.account.datagramsHeld -= 1
    this.account.datagramsOut += 1
    this.#next(datagram)
  }

  drop = (datagram: Datagram): void => {
    this.#count(datagram, 'byFault')
  }

  hold = (datagram: Datagram, afterMs: number, maxBytes = Number.POSITIVE_INFINITY): HeldDatagram | undefined => {
    const { route, payload } = datagram
    const now = this.#context.clock.now()
    const lastDueAt = this.#behaviour.keepsOrder === true ? this.#held.lastDueAt(route) : undefined
    if (afterMs <= 0 && lastDueAt === undefined) {
      this.pass(datagram)
      return undefined
    }
    const heldBytes = this.#heldBytes[route.stream]
    const isFull = heldBytes > 0 && heldBytes + payload.length > maxBytes
    if (isFull || this.#place?.room.take(payload.length) !== true) {
      this.#count(datagram, 'queueFull')
      return undefined
    }
    this.#heldBytes[route.stream] += payload.length
    const held = this.#held.hold(datagram, Math.max(now + afterMs, lastDueAt ?? 0))
    // Released at once if the injection has ended.
    this.#inForce ??= this.#context.hold({ afterMs: Number.POSITIVE_INFINITY, run: () => this.#held.release() })
    return held
  }

  giveNow = (held: HeldDatagram): void => this.#held.giveNow(held)

  copy = (datagram: Datagram): Datagram => {
    this.account.datagramsDuplicated += 1
    this.account.datagramsHeld += 1
    return datagram.route.copy(datagram)
  }

  /** Drops what it holds of some routes, since their session is closed. */
  dropHeld(isClosed: (route: Route) => boolean): void {
    for (const datagram of this.#held.take(isClosed)) {
      this.#count(datagram, 'closed')
      this.#giveRoomBack(datagram)
    }
  }

  #isHit(datagram: Datagram): boolean {
    const operation = this.#context.operation(datagram.route.session.clientAddress)
    const chance = operation.chance(operation.readsArguments === true ? [infoOf(datagram)] : NO_ARGUMENTS)
    return chance !== undefined && this.#behaviour.applies?.(datagram) !== false && chance()
  }

  #passUnaffected(datagram: Datagram): void {
    const { keepsOrder, passed } = this.#behaviour
    if (keepsOrder === true && this.#held.lastDueAt(datagram.route) !== undefined) {
      this.hold(datagram, 0)
      return
    }
    this.pass(datagram)
    passed?.(datagram, this)
  }

  #giveOn(datagram: Datagram): void {
    this.pass(datagram)
    // Last: it may end the injection, and a toxic that has ended has no place any more.
    this.#giveRoomBack(datagram)
  }

  #giveRoomBack({ route, payload }: Datagram): void {
    this.#place?.room.giveBack(payload.length)
    this.#heldBytes[route.stream] -= payload.length
    if (this.#held.length > 0) return
    const ended = this.#inForce
    this.#inForce = undefined
    ended?.drop()
  }

  #count(datagram: Datagram, reason: 'byFault' | 'queueFull' | 'closed'): void {
    this.account.datagramsHeld -= 1
    this.account.datagramsDropped += 1
    datagram.route.drop(reason)
  }

  #next(datagram: Datagram): void {
    this.#place?.next(datagram)
  }
}

const NO_ARGUMENTS: readonly unknown[] = []

const infoOf = ({ route: { session, stream }, payload }: Datagram): DatagramInfo =>
  Object.freeze({ ...session, stream, payload })
