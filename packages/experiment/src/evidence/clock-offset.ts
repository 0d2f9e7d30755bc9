import { largest } from '../shared/numbers.js'
import type { ClockReading, Mark } from './evidence.js'

/** How far another clock is ahead of this process's clock, estimated from all readings. */
export interface ClockOffset {
  /** The other clock's time minus this clock's time, in ms. Its error is at most `errorMs` in either direction. */
  readonly offsetMs: number
  readonly errorMs: number
  /**
   * How much readings differ beyond their own errors, in ms. Above {@link MAX_STEP_MS}, the clock was set during the
   * run.
   */
  readonly steppedMs: number
}

/**
 * The most that two free-running clocks drift apart during a run, in ms. A larger difference means that one was set.
 */
export const MAX_STEP_MS = 250

/**
 * Estimates an offset as NTP does (RFC 5905, section 10): the reading with the shortest round trip counts. Readings
 * that contradict it widen the error.
 */
export function clockOffset(readings: readonly ClockReading[]): ClockOffset | undefined {
  const [first] = readings
  if (first === undefined) return undefined
  const best = readings.reduce((least, reading) => (reading.errorMs < least.errorMs ? reading : least), first)
  const steppedMs = largest(
    readings.map(({ offsetMs, errorMs }) => Math.abs(offsetMs - best.offsetMs) - errorMs - best.errorMs),
    0,
  )
  return { offsetMs: best.offsetMs, errorMs: best.errorMs + steppedMs, steppedMs }
}

/**
 * Converts a time of another clock to this process's clock. The result is limited to the interval from `notBefore` to
 * `notAfter`, which this process observed itself.
 *
 * @param theirs The time by the other clock. Without a known offset, only the interval is used.
 */
export function ourMoment(
  theirs: number,
  offset: ClockOffset | undefined,
  notBefore: number,
  notAfter: number,
): Mark & { readonly contradictionMs: number } {
  const [early, late] =
    offset === undefined
      ? [notBefore, notAfter]
      : [theirs - offset.offsetMs - offset.errorMs, theirs - offset.offsetMs + offset.errorMs]
  const at = clamp(late, notBefore, notAfter)
  const from = clamp(early, notBefore, at)
  return { at, errorMs: at - from, contradictionMs: Math.max(0, notBefore - late, early - notAfter) }
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, Math.max(low, high)))
