import type { Cancel, Clock } from '@chaos/core'
import { Heap } from '../queue/heap.js'
import { runAt } from './run-at.js'

/** A time that an {@link Alarm} waits for. */
export interface Due {
  readonly at: number
  /** Whether it is no longer waited for. */
  isOver: boolean
}

/** The most times that are over and kept until their turn, besides as many as are waited for. */
const MAX_OVER = 16

/** Rings when the first of many times has come, with one timer of one clock. Each step takes logarithmic time. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #dues = new Heap<Due>((one, other) => one.at < other.at)
  /** How many times it waits for. */
  #waiting = 0
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined

  /** @param ring Called when the first time has come, or a time that was waited for before and is over. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Waits for one more time, from the next {@link settle}. */
  add(at: number): Due {
    const due = { at, isOver: false }
    this.#dues.push(due)
    this.#waiting += 1
    return due
  }

  /** Waits no longer for a time, from the next {@link settle}. */
  end(due: Due): void {
    due.isOver = true
    this.#waiting -= 1
    if (this.#dues.length > 2 * this.#waiting + MAX_OVER) this.#dues.take(({ isOver }) => isOver)
  }

  /** Sets the timer. */
  settle(): void {
    while (this.#dues.first?.isOver === true) this.#dues.shift()
    const at = this.#dues.first?.at
    // A timer that fires early does no harm: it is set again. So most chunks need no new one.
    if (at !== undefined && this.#timer !== undefined && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (at === undefined) return
    const cancel = runAt(this.#clock, at, () => {
      this.#timer = undefined
      this.#ring()
    })
    this.#timer = { at, cancel }
  }
}
