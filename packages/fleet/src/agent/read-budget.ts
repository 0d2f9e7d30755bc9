/** The reads that may follow calls at once. A run that begins, ends or is halted calls a few times. */
const BURST = 32
/** The time until one more is allowed, in ms: the pace of an agent that somebody calls without end. */
const REFILL_MS = 1_000
/** The shortest time between the starts of two reads, in ms. */
const MIN_GAP_MS = 20

/** Bounds how often an agent reads because the engine calls: whoever may call must not keep an application busy. */
export class ReadBudget {
  #left = BURST
  #at = Number.NEGATIVE_INFINITY

  /** Counts a read that follows a call. @returns How long it must wait, in ms; never longer than `maxMs`, the time to the next poll. */
  waitMs(nowMs: number, lastReadMs: number, maxMs: number): number {
    const left = Math.min(BURST, this.#left + Math.max(0, nowMs - this.#at) / REFILL_MS)
    const waitMs = Math.min(maxMs, Math.max(lastReadMs + MIN_GAP_MS - nowMs, (1 - left) * REFILL_MS, 0))
    this.#left = Math.max(0, left - 1)
    // What is waited for is spent by the read.
    this.#at = left >= 1 ? nowMs : nowMs + waitMs
    return waitMs
  }
}
