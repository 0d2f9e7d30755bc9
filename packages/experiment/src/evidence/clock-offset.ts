import { largest } from '../shared/numbers.js'
import type { ClockReading, Mark } from './evidence.js'

/** How far another clock is ahead, from all readings of it. */
export interface ClockOffset {
  /** Their time minus ours, in ms; off by at most `errorMs` either way. */
  readonly offsetMs: number
  readonly errorMs: number
  /** By how much readings contradict each other, in ms, beyond their own errors: above {@link MAX_STEP_MS} the clock was set during the run. */
  readonly steppedMs: number
}

/** Two clocks that run free drift apart by less than this in a run; more means that one of them was set. In ms. */
export const MAX_STEP_MS = 250

/**
 * Estimates an offset as NTP does: the reading with the shortest round trip knows best (RFC 5905, section 10), and by how much the others
 * contradict it widens the error.
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
 * Their moment by our clock. What we saw ourselves bounds it: it lies neither before `notBefore` nor after `notAfter`.
 *
 * @param theirs By their clock; with no offset known, our own bounds are all there is.
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
