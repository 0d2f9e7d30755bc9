import { AsyncResource } from 'node:async_hooks'
import type { Cancel, Clock } from '../basics/clock.js'
import type { Held, HeldOn, HeldWork, QueuedWork } from '../fault/fault.js'
import { onAbort } from '../basics/on-abort.js'
import { reportUncaught } from '../basics/report-uncaught.js'

interface Item {
  readonly work: Pick<HeldWork, 'run' | 'on' | 'lose' | 'fail'>
  /** Where it came from: it runs in the async context of its caller. */
  readonly caller: AsyncResource
  readonly dueAt: number
  readonly line: Line | undefined
  /** Stops listening to the caller's signal and, for work without a key, its timer. */
  letGo: () => void
}

/** Work of one key, oldest first. Only the head of a line waits on a timer. */
interface Line {
  readonly key: PropertyKey
  readonly items: Set<Item>
  cancelTimer: Cancel | undefined
  /** While an item runs, the line exists even if it is empty: what comes meanwhile joins its tail. */
  running: boolean
}

/** Work that left before it was held. */
const GONE: Held = { run: () => undefined, drop: () => undefined }

const nothing = (): void => undefined

/** Work that one injection may get to hold. */
type Incoming = Omit<HeldWork, 'order'> & { readonly order?: PropertyKey | undefined }

/**
 * What one injection keeps back. Work runs in the async context in which it came.
 * A run that throws neither strands the rest nor is swallowed: it ends as an uncaught exception, or goes to `fail` of the work, and is lost.
 * Work that is held on something that is gone is lost as well.
 */
export class HeldWorkQueue {
  readonly #clock: Clock
  readonly #onEmpty: () => void
  readonly #onLost: (error?: unknown) => void
  // Sets iterate in the order of arrival, and an iteration visits what is added during it.
  readonly #all = new Set<Item>()
  readonly #lines = new Map<PropertyKey, Line>()
  #released = false
  /** Whether work is held under a key: asked for every event, and mostly nothing is held at all. */
  readonly isHolding: (key: PropertyKey) => boolean

  /**
   * @param onEmpty Called whenever the last item has left.
   * @param onLost Called for each item that is lost, with the error of its `run` if it threw. Default: nothing.
   */
  constructor(clock: Clock, onEmpty: () => void, onLost: (error?: unknown) => void = nothing) {
    this.#clock = clock
    this.#onEmpty = onEmpty
    this.#onLost = onLost
    const lines = this.#lines
    this.isHolding = (key) => lines.size > 0 && lines.has(key)
  }

  /** Items kept back right now. */
  get size(): number {
    return this.#all.size
  }

  hold(work: Incoming): Held {
    const { signal } = work
    if (signal?.aborted === true) {
      work.abandon?.(signal.reason)
      return GONE
    }
    // Decided before the end and held after it (a hit on which someone rolled back, an answer that came late): nobody would let it go.
    if (this.#released) {
      this.#perform(work)
      return GONE
    }
    const line = work.order === undefined ? undefined : this.#lineOf(work.order)
    // Not `AsyncResource.bind`, which makes several functions for each: there may be tens of thousands.
    const caller = new AsyncResource('ChaosHeldWork', { requireManualDestroy: true })
    const item: Item = { work, caller, dueAt: this.#clock.now() + work.afterMs, line, letGo: nothing }
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
    if (cancels.length > 0) item.letGo = () => cancels.forEach((cancel) => cancel())
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

  /** Runs everything now, oldest first, including what joins while it does. What comes later runs at once. */
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

  /** After an item has left: what waited behind it may be due. */
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
    item.letGo()
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

  /** Runs work, unless what it is held on is gone. Throws nothing. */
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

  /** Runs what is due at the head of a line and sets the timer for what is not; forgets an empty line. */
  #settleLine(line: Line | undefined): void {
    if (line === undefined || line.running) return
    line.cancelTimer?.()
    line.cancelTimer = undefined
    for (const head of line.items) {
      const waitMs = head.dueAt - this.#clock.now()
      // Less than a microsecond is rounding of the clock, not time to wait.
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

/** What cannot even tell is not there any more. */
function isGone(on: HeldOn): boolean {
  try {
    return on.isGone()
  } catch {
    return true
  }
}

/** Someone else's function: what it throws ends as an uncaught exception and leaves our loop alone. */
function attempt(run: () => void): void {
  try {
    run()
  } catch (error) {
    reportUncaught(error)
  }
}
