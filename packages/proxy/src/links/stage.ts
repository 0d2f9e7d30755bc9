import type { Clock } from '@chaos/core'
import type { Ending, Receiver } from '../sockets/outlet.js'
import type { Alarm, Due } from './alarm.js'
import type { ByteCounters } from './byte-account.js'

/** One of the two streams of bytes of a connection: `upstream` from the client to the server, `downstream` back. */
export type Stream = 'upstream' | 'downstream'

/** What a stage may ask of its link. */
export interface LinkOfStage {
  /** Counts bytes that a stage has dropped. */
  readonly countDropped: (bytes: number) => void
  /** Writes what has arrived at the end, so that it does not leave together with what follows. */
  readonly flush: () => void
  /** Counts what a stage holds more, or less if negative. */
  readonly countHeld: (bytes: number, chunks: number) => void
  /** Counts the stages that hold the most that they may. */
  readonly countFull: (change: 1 | -1) => void
  /** What wakes the stages of a clock. */
  readonly alarmOf: (clock: Clock) => Alarm
}

/**
 * What one toxic does to one stream of one connection. Stages form a chain from one socket to the other.
 *
 * A stage neither waits nor sets timers: it says when it is due, and its link wakes it.
 */
export abstract class Stage implements Receiver {
  /** The next receiver. Its link changes it when a stage is added or leaves. */
  next: Receiver = NOWHERE
  /** The stage before it, if any. Its link changes it as {@link next}. */
  previous: Stage | undefined
  /** Whether the toxic has ended: what comes now passes. */
  hasLeft = false
  /** Whether it may use bytes after {@link data} has returned. If not, they need not be copied for it. */
  readonly keepsBytes: boolean = true
  protected link!: LinkOfStage
  /** Whether this stage has ended the connection: what comes now is dropped. */
  #isCut = false
  #heldBytes = 0
  #heldChunks = 0
  #isFull = false
  #alarm: Alarm | undefined
  #due: Due | undefined

  constructor(
    readonly clock: Clock,
    readonly account: ByteCounters,
  ) {}

  /** The time of the next {@link wake}, by {@link clock}. */
  get dueAt(): number {
    return this.#due === undefined ? Number.POSITIVE_INFINITY : this.#due.at
  }

  protected set dueAt(at: number) {
    if (at === this.dueAt) return
    const due = at === Number.POSITIVE_INFINITY ? undefined : this.#alarm?.add(at)
    if (this.#due !== undefined) this.#alarm?.end(this.#due)
    this.#due = due
  }

  /** The most bytes that the stage holds before the source is paused. */
  get maxHeldBytes(): number {
    return Number.POSITIVE_INFINITY
  }

  data(bytes: Buffer): void {
    if (this.hasLeft) {
      this.next.data(bytes)
      return
    }
    this.account.bytesIn += bytes.length
    if (this.#isCut) this.drop(bytes.length)
    else this.take(bytes)
  }

  end(ending: Ending): void {
    if (this.hasLeft || this.#isCut) this.next.end(ending)
    else this.takeEnd(ending)
  }

  /** Begins on a link. Called once, when the stage is part of the chain. */
  enter(link: LinkOfStage): void {
    this.link = link
    this.#alarm = link.alarmOf(this.clock)
    this.begin()
  }

  /** Leaves the chain, since the toxic has ended, and gives on what it holds. */
  leave(): void {
    this.hasLeft = true
    this.dueAt = Number.POSITIVE_INFINITY
    this.release()
  }

  /** Drops what it holds, since the connection has ended. */
  dropHeld(): void {
    const bytes = this.#heldBytes
    this.hasLeft = true
    this.dueAt = Number.POSITIVE_INFINITY
    this.unhold(bytes, this.#heldChunks)
    this.drop(bytes)
  }

  /** Acts, since {@link dueAt} has come. */
  wake(_now: number): void {
    this.dueAt = Number.POSITIVE_INFINITY
  }

  /** Follows the new options of its toxic. */
  edit(): void {
    this.edited()
    this.#fill()
  }

  protected edited(): void {
    // Most stages read their options for each chunk.
  }

  protected abstract take(bytes: Buffer): void

  protected takeEnd(ending: Ending): void {
    this.next.end(ending)
  }

  protected begin(): void {
    // Most stages wait for bytes.
  }

  protected release(): void {
    // Most stages hold nothing.
  }

  protected pass(bytes: Buffer): void {
    this.account.bytesOut += bytes.length
    this.next.data(bytes)
  }

  protected drop(bytes: number): void {
    this.account.bytesDropped += bytes
    this.link.countDropped(bytes)
  }

  protected hold(bytes: number, chunks: number): void {
    this.#heldBytes += bytes
    this.#heldChunks += chunks
    this.account.bytesHeld += bytes
    this.link.countHeld(bytes, chunks)
    this.#fill()
  }

  protected unhold(bytes: number, chunks: number): void {
    this.hold(-bytes, -chunks)
  }

  /** Ends the connection behind the bytes that have passed. */
  protected cut(ending: 'close' | 'reset'): void {
    if (this.#isCut) return
    this.#isCut = true
    this.dueAt = Number.POSITIVE_INFINITY
    this.next.end(ending)
  }

  #fill(): void {
    const isFull = this.#heldBytes >= this.maxHeldBytes
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.link.countFull(isFull ? 1 : -1)
  }
}

const NOWHERE: Receiver = { data: () => undefined, end: () => undefined }
