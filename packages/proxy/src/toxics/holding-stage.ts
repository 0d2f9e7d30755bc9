import { Fifo } from '../queue/fifo.js'
import type { Ending } from '../sockets/outlet.js'
import { ToxicStage } from './toxic-stage.js'

/** What a stage holds back: bytes, or the end of the stream. */
export interface HeldItem {
  readonly bytes: Buffer | undefined
  readonly ending: Ending | undefined
  /** When it came. */
  readonly at: number
  /** How long it is held, where that is decided as it comes. */
  readonly delayMs: number
}

/** A stage that holds bytes back, in order. A subclass says when the first of them is due. */
export abstract class HoldingStage<Options> extends ToxicStage<Options> {
  readonly #items = new Fifo<HeldItem>()

  /** Gives on what is due. */
  override wake(now: number): void {
    while (this.dueAt <= now && this.#items.length > 0) this.#giveFirst()
  }

  protected get first(): HeldItem | undefined {
    return this.#items.first
  }

  /** When the first item is due. Called once, when the item becomes the first, and after an edit. */
  protected abstract dueOf(first: HeldItem): number

  /** How many bytes of the first item go on when it is due. Default: all. */
  protected sliceOf(bytes: Buffer): number {
    return bytes.length
  }

  protected override take(bytes: Buffer): void {
    if (this.hit()) this.holdBytes(bytes)
    else this.pass(bytes)
  }

  protected override takeEnd(ending: Ending): void {
    if (this.#items.length === 0) this.next.end(ending)
    else this.#push({ bytes: undefined, ending, at: this.clock.now(), delayMs: 0 })
  }

  protected holdBytes(bytes: Buffer, delayMs = 0): void {
    // What it gave on before may have ended the connection, or the toxic.
    if (this.hasLeft) {
      this.pass(bytes)
      return
    }
    this.#push({ bytes, ending: undefined, at: this.clock.now(), delayMs })
  }

  /** Holds the end back, even if nothing is before it. */
  protected holdEnd(ending: Ending): void {
    this.#push({ bytes: undefined, ending, at: this.clock.now(), delayMs: 0 })
  }

  /** An edit gives on the first item at once, as Toxiproxy does; the rest follows the new options. */
  protected override edited(): void {
    const { first } = this
    if (first !== undefined) this.#give(first)
    this.schedule()
  }

  protected override release(): void {
    for (let item = this.first; item !== undefined; item = this.first) this.#give(item)
    this.dueAt = Number.POSITIVE_INFINITY
  }

  override dropHeld(): void {
    super.dropHeld()
    this.#items.clear()
  }

  /** Finds out anew when the first item is due. */
  protected schedule(): void {
    const { first } = this
    this.dueAt = first === undefined || this.hasLeft ? Number.POSITIVE_INFINITY : this.dueOf(first)
  }

  #push(item: HeldItem): void {
    this.hold(sizeOf(item), 1)
    this.#items.push(item)
    if (this.#items.length > 1) return
    this.schedule()
    this.wake(this.clock.now())
  }

  #giveFirst(): void {
    const item = this.#items.first as HeldItem
    const { bytes } = item
    const length = bytes === undefined ? 0 : this.sliceOf(bytes)
    if (bytes === undefined || length >= bytes.length) this.#give(item)
    else {
      this.#items.shift()
      this.#items.unshift({ ...item, bytes: bytes.subarray(length) })
      this.unhold(length, 0)
      this.pass(bytes.subarray(0, length))
    }
    this.schedule()
  }

  #give(item: HeldItem): void {
    const { bytes, ending } = item
    this.#items.shift()
    this.unhold(sizeOf(item), 1)
    if (bytes !== undefined) this.pass(bytes)
    if (ending !== undefined) this.next.end(ending)
  }
}

function sizeOf({ bytes }: HeldItem): number {
  return bytes === undefined ? 0 : bytes.length
}
