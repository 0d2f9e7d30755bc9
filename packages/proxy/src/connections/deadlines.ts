import type { Cancel, Clock } from '@chaos/core'
import { LinkedList, type LinkedItem } from '../queue/linked-list.js'

/** A time by which something has to be over. */
export interface Deadline extends LinkedItem<Deadline> {
  readonly at: number
  readonly onDue: () => void
}

/**
 * Deadlines that are all as long, so that the first that was set is the first to come, and one timer is enough. The timer
 * goes on when nothing is waited for any longer: most connections of a busy proxy need none of their own.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  readonly #waiting = new LinkedList<Deadline>()
  #cancel: Cancel | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Sets one. @param onDue Called when it has come, unless it is {@link end}ed before. */
  set(onDue: () => void): Deadline {
    const deadline = { at: this.#clock.now() + this.#ms, onDue, previous: undefined, next: undefined }
    this.#waiting.add(deadline)
    if (this.#cancel === undefined) this.#wait(this.#ms)
    return deadline
  }

  /** What had to be over is over. Call it once, and not when the deadline has come. */
  end(deadline: Deadline): void {
    this.#waiting.remove(deadline)
  }

  /** Stops the timer if nothing is waited for. */
  rest(): void {
    if (this.#waiting.length > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }

  #wait(ms: number): void {
    this.#cancel?.()
    // What is waited for keeps the process alive by itself.
    this.#cancel = this.#clock.after(ms, () => this.#look(), { ref: false })
  }

  #look(): void {
    const now = this.#clock.now()
    for (let { first } = this.#waiting; first !== undefined && first.at <= now; { first } = this.#waiting) {
      this.#waiting.remove(first)
      first.onDue()
    }
    const { first } = this.#waiting
    if (first === undefined) this.rest()
    else this.#wait(first.at - now)
  }
}
