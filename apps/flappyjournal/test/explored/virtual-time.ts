import { AsyncResource } from 'node:async_hooks'
import type { Time } from '../../src/time/time.js'

/** Timers that are due later than this are leases, not waits, in ms. */
const HORIZON_MS = 60_000
/** The turns of the event loop in which work that needs no timer gets done. */
const TURNS = 4

/** Time that passes only while everything else waits: an outage of seconds costs no time, and happens alike in each run. */
export interface VirtualTime extends Time {
  /** Waits for work, and lets time pass whenever `isWaiting` and nothing happens. */
  drive<T>(work: Promise<T>, isWaiting: () => boolean, signal: AbortSignal): Promise<T>
  /** Lets a span of time pass. */
  pass(spanMs: number): Promise<void>
}

/** @param isBusy Whether real work is under way, which must end before time passes. */
export function virtualTime(isBusy: () => boolean = () => false): VirtualTime {
  interface Timer {
    readonly dueAt: number
    readonly work: () => void
  }
  let now = 0
  const timers = new Set<Timer>()
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  async function quiet(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns += 1) {
      await turn()
      if (isBusy()) turns = 0
    }
  }
  function next(until: number): boolean {
    let first: Timer | undefined
    for (const timer of timers)
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer
    if (first === undefined) return false
    timers.delete(first)
    now = first.dueAt
    first.work()
    return true
  }
  return {
    now: () => now,
    after(delayMs, work) {
      // A timer belongs to the scope in which it was started.
      const timer = { dueAt: now + Math.max(0, delayMs), work: AsyncResource.bind(work) }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async drive(work, isWaiting, signal) {
      const state = { isOver: false }
      const over = (): void => void (state.isOver = true)
      work.then(over, over)
      for (;;) {
        await quiet()
        if (state.isOver) return work
        signal.throwIfAborted()
        if (isWaiting()) next(now + HORIZON_MS)
      }
    },
    async pass(spanMs) {
      const until = now + spanMs
      do await quiet()
      while (next(until))
      now = until
    },
  }
}
