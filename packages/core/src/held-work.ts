import { AsyncResource } from 'node:async_hooks'
import type { Cancel, Clock } from './clock.js'
import type { Held, HeldWork, QueuedWork } from './fault.js'
import { reportUncaught } from './report-uncaught.js'

interface Item {
  readonly run: () => void
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

/** What one injection keeps back. */
export interface HeldWorkQueue {
  /** Items kept back right now. */
  readonly size: number
  hold(work: HeldWork): Held
  queue(work: QueuedWork): void
  readonly isHolding: (key: PropertyKey) => boolean
  /** Runs everything now, oldest first, including what joins while it does. What comes later runs at once. */
  release(): void
}

/**
 * Keeps work back until its time is up or it is released. Work runs in the async context in which it came.
 * A run that throws neither strands the rest nor is swallowed: it ends as an uncaught exception.
 *
 * @param onEmpty Called whenever the last item has left.
 */
export function heldWork(clock: Clock, onEmpty: () => void): HeldWorkQueue {
  // Sets iterate in the order of arrival, and an iteration visits what is added during it.
  const all = new Set<Item>()
  const lines = new Map<PropertyKey, Line>()
  let released = false
  // As many as there are lines: asked for every event, and mostly nothing is held at all.
  let lineCount = 0

  function add(work: Omit<HeldWork, 'order'> & { readonly order?: PropertyKey | undefined }): Held {
    const { signal } = work
    if (signal?.aborted === true) {
      work.abandon?.(signal.reason)
      return GONE
    }
    // Decided before the end and held after it (a hit on which someone rolled back, an answer that came late): nobody would let it go.
    if (released) {
      attempt(work.run)
      return GONE
    }
    const line = work.order === undefined ? undefined : lineOf(work.order)
    // Not `AsyncResource.bind`, which makes several functions for each: there may be tens of thousands.
    const caller = new AsyncResource('ChaosHeldWork', { requireManualDestroy: true })
    const item: Item = { run: work.run, caller, dueAt: clock.now() + work.afterMs, line, letGo: nothing }
    const cancels: Cancel[] = []
    if (signal !== undefined) {
      const onAbort = (): void => {
        drop(item)
        attempt(() => work.abandon?.(signal.reason))
        settle(line)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      cancels.push(() => signal.removeEventListener('abort', onAbort))
    }
    if (line === undefined && work.afterMs !== Number.POSITIVE_INFINITY) {
      cancels.push(clock.after(work.afterMs, () => {
        runItem(item)
        settle(line)
      }))
    }
    if (cancels.length > 0) item.letGo = () => cancels.forEach((cancel) => cancel())
    all.add(item)
    if (line !== undefined) {
      line.items.add(item)
      if (line.items.size === 1) settleLine(line)
    }
    const leave = (how: (item: Item) => void) => (): void => {
      if (!all.has(item)) return
      how(item)
      settle(line)
    }
    return { run: leave(runItem), drop: leave(drop) }
  }

  /** After an item has left: what waited behind it may be due. */
  function settle(line: Line | undefined): void {
    settleLine(line)
    if (all.size === 0) onEmpty()
  }

  function lineOf(key: PropertyKey): Line {
    let line = lines.get(key)
    if (line === undefined) {
      lines.set(key, (line = { key, items: new Set(), cancelTimer: undefined, running: false }))
      lineCount = lines.size
    }
    return line
  }

  function forget(line: Line): void {
    lines.delete(line.key)
    lineCount = lines.size
  }

  function drop(item: Item): void {
    all.delete(item)
    item.line?.items.delete(item)
    item.letGo()
    item.caller.emitDestroy()
  }

  function runItem(item: Item): void {
    drop(item)
    const { line } = item
    const nested = line?.running === true
    if (line !== undefined) line.running = true
    attempt(() => item.caller.runInAsyncScope(item.run))
    if (line !== undefined && !nested) line.running = false
  }

  /** Runs what is due at the head of a line and sets the timer for what is not; forgets an empty line. */
  function settleLine(line: Line | undefined): void {
    if (line === undefined || line.running) return
    line.cancelTimer?.()
    line.cancelTimer = undefined
    for (const head of line.items) {
      const waitMs = head.dueAt - clock.now()
      // Less than a microsecond is rounding of the clock, not time to wait.
      if (waitMs > 0.001) {
        if (waitMs !== Number.POSITIVE_INFINITY) {
          line.cancelTimer = clock.after(waitMs, () => settle(line))
        }
        return
      }
      runItem(head)
    }
    forget(line)
  }

  return {
    get size() {
      return all.size
    },
    hold: add,
    queue: (work) => void add({ ...work, afterMs: 0 }),
    isHolding: (key) => lineCount > 0 && lines.has(key),
    release() {
      for (const item of all) {
        const { line } = item
        runItem(item)
        if (line?.items.size === 0) {
          line.cancelTimer?.()
          forget(line)
        }
      }
      released = true
    },
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
