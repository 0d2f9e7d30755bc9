/** Period of the timer that is watched, in ms. */
const PERIOD_MS = 10
const SLICE_MS = 1_000
const MAX_SLICES = 10

/**
 * The longest delay of this thread's event loop, over what has passed since it was last taken, at most 10 s.
 *
 * Not `monitorEventLoopDelay`: after each reset that leaves out the first period, and a stall that falls into it.
 */
export class OwnDelay {
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #turnedAt: number
  #slices: number[] = []
  #sliceAt: number
  #worst = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#turnedAt = this.#sliceAt = now()
    this.#timer = setInterval(() => this.#turn(), PERIOD_MS)
    this.#timer.unref()
  }

  /** In ms. Begins anew. */
  take(): number {
    const worst = this.peek()
    this.#slices = []
    this.#worst = 0
    return worst
  }

  /** In ms. Goes on. A stall that has just ended counts, though the timer has not turned yet. */
  peek(): number {
    this.#turn()
    return Math.max(this.#worst, ...this.#slices)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #turn(): void {
    const now = this.#now()
    this.#worst = Math.max(this.#worst, now - this.#turnedAt - PERIOD_MS)
    this.#turnedAt = now
    if (now - this.#sliceAt < SLICE_MS) return
    this.#slices = [...this.#slices, this.#worst].slice(-MAX_SLICES)
    this.#worst = 0
    this.#sliceAt = now
  }
}
