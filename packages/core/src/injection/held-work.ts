import { AsyncResource } from 'node:async_hooks'
import type { Cancel, Clock } from '../basics/clock.js'
import type { Held, HeldOn, HeldWork, QueuedWork } from '../fault/fault.js'
import { onAbort } from '../basics/on-abort.js'
import { reportUncaught } from '../basics/report-uncaught.js'

interface Item {
  readonly work: Pick<HeldWork, 'run' | 'on' | 'lose' | 'fail'>
  /** The async context of the caller, in which the work runs. */
  readonly caller: AsyncResource
  readonly dueAt: number
  readonly line: Line | undefined
  /** Stops listening to the caller's signal and, for work without a key, its timer. */
  stopWaiting: () => void
}

/** The work of one key, oldest first. Only the head of a line has a timer. */
interface Line {
  readonly key: PropertyKey
  readonly items: Set<Item>
  cancelTimer: Cancel | undefined
  /** Whether an item is running. The line then exists even if it is empty, so that new work joins its tail. */
  running: boolean
}

/** The handle on work that was never held. */
const NOT_HELD: Held = { run: () => undefined, drop: () => undefined }

const nothing = (): void => undefined

/** Work to hold: held or queued. */
type Incoming = Omit<HeldWork, 'order'> & { readonly order?: PropertyKey | undefined }

/**
 * Holds the work that one injection holds back. Work runs in the async context of its caller.
 *
 * Work that throws does not stop the rest. Its error goes to the work's `fail`, and the work counts as lost; without `fail`
 * the error ends as an uncaught exception. Work whose resource is gone is lost as well.
 */
export class HeldWorkQueue {
  readonly #clock: Clock
  readonly #onEmpty: () => void
  readonly #onLost: (error?: unknown) => void
  // A Set iterates in order of arrival, and an iteration visits items that are added meanwhile.
  readonly #all = new Set<Item>()
  readonly #lines = new Map<PropertyKey, Line>()
  #released = false
  /** Whether work is held under a key. Called for every event, mostly while nothing is held. */
  readonly isHolding: (key: PropertyKey) => boolean

  /**
   * @param onEmpty Called whenever the queue becomes empty.
   * @param onLost Called for each lost item, with the error if its `run` threw one. Default: does nothing.
   */
  constructor(clock: Clock, onEmpty: () => void, onLost: (error?: unknown) => void = nothing) {
    this.#clock = clock
    this.#onEmpty = onEmpty
    this.#onLost = onLost
    const lines = this.#lines
    this.isHolding = (key) => lines.size > 0 && lines.has(key)
  }

  /** The number of items held. */
  get size(): number {
    return this.#all.size
  }

  hold(work: Incoming): Held {
    const { signal } = work
    if (signal?.aborted === true) {
      work.abandon?.(signal.reason)
      return NOT_HELD
    }
    // A call chosen before the end may be held after it: a listener rolled back, or a result came late. Nothing would release it.
    if (this.#released) {
      this.#perform(work)
      return NOT_HELD
    }
    const line = work.order === undefined ? undefined : this.#lineOf(work.order)
    // Not `AsyncResource.bind`, which makes several functions per item: there may be tens of thousands of items.
    const caller = new AsyncResource('ChaosHeldWork', { requireManualDestroy: true })
    const item: Item = { work, caller, dueAt: this.#clock.now() + work.afterMs, line, stopWaiting: nothing }
    const cancels: Cancel[] = []
    if (signal !== undefined) {
      cancels.push(
        onAbort(signal, () => {
          this.#drop(item)
          attempt(() => work.abandon?.(signal.reason))
          this.#settle(line)
        }),
      )
    }
    if (line === undefined && work.afterMs !== Number.POSITIVE_INFINITY) {
      cancels.push(
        this.#clock.after(work.afterMs, () => {
          this.#runItem(item)
          this.#settle(line)
        }),
      )
    }
    if (cancels.length > 0) item.stopWaiting = () => cancels.forEach((cancel) => cancel())
    this.#all.add(item)
    if (line !== undefined) {
      line.items.add(item)
      if (line.items.size === 1) this.#settleLine(line)
    }
    const leave = (how: (item: Item) => void) => (): void => {
      if (!this.#all.has(item)) return
      how(item)
      this.#settle(line)
    }
    return { run: leave((left) => this.#runItem(left)), drop: leave((left) => this.#drop(left)) }
  }

  queue(work: QueuedWork): void {
    this.hold({ ...work, afterMs: 0 })
  }

  /** Runs all work now, oldest first, including work that arrives meanwhile. Later work runs at once. */
  release(): void {
    for (const item of this.#all) {
      const { line } = item
      this.#runItem(item)
      if (line?.items.size === 0) {
        line.cancelTimer?.()
        this.#lines.delete(line.key)
      }
    }
    this.#released = true
  }

  /** Runs work that is due after an item has left its line. */
  #settle(line: Line | undefined): void {
    this.#settleLine(line)
    if (this.#all.size === 0) this.#onEmpty()
  }

  #lineOf(key: PropertyKey): Line {
    let line = this.#lines.get(key)
    if (line === undefined)
      this.#lines.set(key, (line = { key, items: new Set(), cancelTimer: undefined, running: false }))
    return line
  }

  #drop(item: Item): void {
    this.#all.delete(item)
    item.line?.items.delete(item)
    item.stopWaiting()
    item.caller.emitDestroy()
  }

  #runItem(item: Item): void {
    this.#drop(item)
    const { line } = item
    const nested = line?.running === true
    if (line !== undefined) line.running = true
    item.caller.runInAsyncScope(this.#perform, this, item.work)
    if (line !== undefined && !nested) line.running = false
  }

  /** Runs work unless its resource is gone. Never throws. */
  #perform({ run, on, lose = nothing, fail = reportUncaught }: Item['work']): void {
    attempt(() => {
      if (on !== undefined && isGone(on)) {
        this.#onLost()
        lose()
        return
      }
      try {
        run()
      } catch (error) {
        if (fail !== reportUncaught) this.#onLost(error)
        fail(error)
      }
    })
  }

  /** Runs the work that is due at the head of a line, sets the timer for the rest, and deletes an empty line. */
  #settleLine(line: Line | undefined): void {
    if (line === undefined || line.running) return
    line.cancelTimer?.()
    line.cancelTimer = undefined
    for (const head of line.items) {
      const waitMs = head.dueAt - this.#clock.now()
      // Less than a microsecond is the clock's rounding error.
      if (waitMs > 0.001) {
        if (waitMs !== Number.POSITIVE_INFINITY) {
          line.cancelTimer = this.#clock.after(waitMs, () => this.#settle(line))
        }
        return
      }
      this.#runItem(head)
    }
    this.#lines.delete(line.key)
  }
}

/** Whether a resource is gone. A resource that throws when asked counts as gone. */
function isGone(on: HeldOn): boolean {
  try {
    return on.isGone()
  } catch {
    return true
  }
}

/** Runs a callback of other code. Its error ends as an uncaught exception and does not break the loop. */
function attempt(run: () => void): void {
  try {
    run()
  } catch (error) {
    reportUncaught(error)
  }
}
