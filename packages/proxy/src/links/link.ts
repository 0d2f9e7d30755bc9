import type { Clock } from '@chaos/core'
import type { Ending, Outlet, Receiver } from '../sockets/outlet.js'
import { Alarm } from './alarm.js'
import type { ByteAccount } from './byte-account.js'
import type { LinkOfStage, Stage } from './stage.js'

/** What a link reads from. */
export interface Source {
  pause(): void
  resume(): void
}

/** The most chunks that a link holds, whatever their size. */
const MAX_HELD_CHUNKS = 65_536
/** The most bytes that wait for the receiver's socket before the source is paused. */
const MAX_WAITING = 65_536
/** Times are sums of fractions. Less than a microsecond is a rounding error. */
const ROUNDING_MS = 0.001

/**
 * One direction of a connection: bytes from one socket, through the stages of its toxics, to another socket. It has one
 * timer of each clock, whatever the number of stages. A change of its stages is a change of pointers: it waits for nothing
 * and costs the same, whatever the number of stages.
 */
export class Link implements LinkOfStage {
  readonly #source: Source
  readonly #outlet: Outlet
  readonly #maxHeldBytes: number
  /** The first of the stages, each of which knows the next one, or the outlet. */
  #head: Receiver
  #last: Stage | undefined
  /** Stages that keep bytes. Without one, the buffer they were read into need not be given up. */
  #keepers = 0
  /** Stages that hold the most that they may. */
  #full = 0
  /** What all stages hold. */
  #bytesOfStages = 0
  #chunksOfStages = 0
  #alarms: Map<Clock, Alarm> | undefined
  #early: Early | undefined
  /** Whether bytes that are on their way out are still in the buffer of the source. */
  #isLending = false
  #in = 0
  #dropped = 0
  #isStarted = false
  #isClosed = false
  #hasEnded = false

  /** @param maxHeldBytes The most bytes that it holds before the source is paused. */
  constructor(source: Source, outlet: Outlet, maxHeldBytes: number) {
    this.#source = source
    this.#outlet = outlet
    this.#maxHeldBytes = maxHeldBytes
    this.#head = outlet
  }

  /** What became of its bytes. */
  get account(): ByteAccount {
    const { out, dropped } = this.#outlet
    return { bytesIn: this.#in, bytesOut: out, bytesDropped: this.#dropped + dropped, bytesHeld: this.heldBytes }
  }

  /** Bytes that wait, or are on their way to the system. */
  get heldBytes(): number {
    return this.#outlet.held + (this.#early?.bytes ?? 0) + this.#bytesOfStages
  }

  /** Begins to give on what it reads. Stages may be added before; what is read before waits. */
  start(): void {
    if (this.#isClosed) return
    this.#isStarted = true
    const early = this.#early
    this.#early = undefined
    for (const bytes of early?.chunks ?? []) this.#head.data(bytes)
    if (early?.ending !== undefined) this.end(early.ending)
    this.settle()
  }

  /**
   * Takes what was read.
   *
   * @param keep Returns the bytes in a form that may be kept.
   * @returns Whether the bytes are still in use.
   */
  read(bytes: Buffer, keep: () => Buffer): boolean {
    this.#in += bytes.length
    if (this.#isClosed) {
      this.#dropped += bytes.length
      return false
    }
    if (!this.#isStarted) {
      this.#early ??= { chunks: [], bytes: 0, ending: undefined }
      this.#early.chunks.push(keep())
      this.#early.bytes += bytes.length
      if (this.#early.bytes >= MAX_WAITING) this.#source.pause()
      return false
    }
    if (this.#keepers > 0 || !this.#outlet.isIdle) {
      this.#head.data(keep())
      this.settle()
      return false
    }
    if (this.#head === this.#outlet) this.#outlet.write(bytes)
    else {
      this.#head.data(bytes)
      this.#outlet.flush()
    }
    this.#isLending = this.#outlet.held > 0
    if (this.#isLending || this.#head !== this.#outlet) this.settle()
    return this.#isLending
  }

  /** The source has ended, or is reset, which it may be after its end. */
  end(ending: Ending): void {
    if (this.#isClosed || (this.#hasEnded && ending === 'end')) return
    if (!this.#isStarted) {
      this.#early ??= { chunks: [], bytes: 0, ending: undefined }
      this.#early.ending = ending
      return
    }
    this.#hasEnded = true
    this.#head.end(ending)
    this.settle()
  }

  /** Adds a stage behind all others. */
  add(stage: Stage): void {
    if (this.#isClosed) return
    stage.next = this.#outlet
    stage.previous = this.#last
    if (this.#last === undefined) this.#head = stage
    else this.#last.next = stage
    this.#last = stage
    if (stage.keepsBytes) this.#keepers += 1
    stage.enter(this)
    this.settle()
  }

  /** Takes a stage out. What it holds goes on to the next one. */
  remove(stage: Stage): void {
    if (!this.#has(stage)) return
    const { previous, next } = stage
    if (previous === undefined) this.#head = next
    else previous.next = next
    if (stage === this.#last) this.#last = previous
    else (next as Stage).previous = previous
    if (stage.keepsBytes) this.#keepers -= 1
    stage.leave()
    this.settle()
  }

  /** Has a stage follow the new options of its toxic. */
  edit(stage: Stage): void {
    if (!this.#has(stage)) return
    stage.edit()
    this.settle()
  }

  /** Drops what it holds and what comes from now on. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#dropped += this.#early?.bytes ?? 0
    this.#early = undefined
    this.#eachStage((stage) => stage.dropHeld())
    this.#outlet.close()
    this.#setTimers()
  }

  countDropped(bytes: number): void {
    this.#dropped += bytes
  }

  countHeld(bytes: number, chunks: number): void {
    this.#bytesOfStages += bytes
    this.#chunksOfStages += chunks
  }

  countFull(change: 1 | -1): void {
    this.#full += change
  }

  alarmOf(clock: Clock): Alarm {
    this.#alarms ??= new Map()
    const alarm = this.#alarms.get(clock) ?? new Alarm(clock, () => this.#wake())
    this.#alarms.set(clock, alarm)
    return alarm
  }

  flush(): void {
    this.#outlet.flush()
  }

  /** Writes what has arrived, sets the timers, and pauses or resumes the source. Called after everything that may change these. */
  settle(): void {
    this.#outlet.flush()
    if (this.#isClosed) return
    this.#setTimers()
    if (!this.#isStarted || this.#hasEnded) return
    if (this.#isFull()) this.#source.pause()
    else this.#source.resume()
  }

  #isFull(): boolean {
    const { held, heldChunks } = this.#outlet
    if (held === 0) this.#isLending = false
    if (this.#isLending) return true
    if (this.#last === undefined) return held > 0
    if (held >= MAX_WAITING || this.#full > 0) return true
    return held + this.#bytesOfStages >= this.#maxHeldBytes || heldChunks + this.#chunksOfStages >= MAX_HELD_CHUNKS
  }

  #setTimers(): void {
    if (this.#alarms === undefined) return
    for (const alarm of this.#alarms.values()) alarm.settle()
  }

  #wake(): void {
    this.#eachStage((stage) => {
      if (stage.dueAt === Number.POSITIVE_INFINITY) return
      const now = stage.clock.now() + ROUNDING_MS
      if (stage.dueAt <= now) stage.wake(now)
    })
    this.settle()
  }

  /** Whether a stage that was added is still part of the chain. */
  #has(stage: Stage): boolean {
    return !this.#isClosed && !stage.hasLeft
  }

  /** A stage that leaves meanwhile still knows the next one. */
  #eachStage(visit: (stage: Stage) => void): void {
    for (let receiver = this.#head; receiver !== this.#outlet;) {
      const stage = receiver as Stage
      visit(stage)
      receiver = stage.next
    }
  }
}

/** What has come before the start. */
interface Early {
  readonly chunks: Buffer[]
  bytes: number
  ending: Ending | undefined
}
