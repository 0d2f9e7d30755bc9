import { withoutSlash } from '../shared/address.js'
import { MAX_AWAITED_MS } from '../alerts/reader.js'
import { clockOffset } from './clock-offset.js'
import type { Monitor } from './evidence.js'

/** How many intervals an evaluation or a scrape may be late, and how much longer on top, in ms, before the monitoring counts as standing still. */
const LATE_INTERVALS = 3
const SLACK_MS = 5_000
/** A turn may come a little early: this part of an interval after the one before is the next. */
const ON_TIME = 0.9

/** The monitoring at an address. */
export function monitorOf(monitors: readonly Monitor[], address: string | undefined): Monitor | undefined {
  return address === undefined
    ? undefined
    : monitors.find(({ source }) => withoutSlash(source) === withoutSlash(address))
}

/** The longest time without an evaluation or a scrape, in ms. */
export const maxStandstillMs = (intervalMs: number): number => LATE_INTERVALS * intervalMs + SLACK_MS

/** How long a monitoring that works may take to look again, in ms. */
export const longestLookMs = ({ ruleIntervalMs, scrapeIntervalMs }: Monitor): number =>
  maxStandstillMs(Math.min(MAX_AWAITED_MS, Math.max(ruleIntervalMs, scrapeIntervalMs)))

/** What a problem of a monitoring is about: the same target is refused at one time and timed out at another. */
export const subjectOf = (problem: string): string => problem.split(': ', 1)[0] ?? problem

/** What a monitoring tells of itself. */
type Sign = 'evaluatedAt' | 'scrapedAt'

/**
 * Whether a monitoring has evaluated its rules (where it is a source of alerts) and scraped its targets since a moment, as far as it tells.
 */
export function hasLookedSince(monitor: Monitor, since: number, isAlertSource: boolean): boolean {
  return (
    [
      ['evaluatedAt', isAlertSource],
      ['scrapedAt', true],
    ] as const
  ).every(([sign, isNeeded]) => !isNeeded || lookedAt(monitor, sign, since) !== undefined)
}

/**
 * When it was first seen that every group of rules was evaluated, or every target scraped, since a moment. A monitoring that does not tell, or that is
 * too slow to be waited for, is taken to have looked. `undefined`: not seen.
 *
 * A sign tells of the one for which it is longest ago. So it must be from after the moment by the clock of the monitoring; or an answer to a question
 * from after the moment names a time that is an interval later than another: then all have had their turn, and no clock has a say in it.
 */
export function lookedAt(
  { readings, clock, ruleIntervalMs, scrapeIntervalMs }: Monitor,
  sign: Sign,
  since: number,
): number | undefined {
  const intervalMs = sign === 'evaluatedAt' ? ruleIntervalMs : scrapeIntervalMs
  if (intervalMs > MAX_AWAITED_MS || readings.every(({ [sign]: moment }) => moment === undefined)) return since
  const offset = clockOffset(clock)
  let first: number | undefined
  for (const { askedAt, at, [sign]: moment } of readings) {
    if (moment === undefined) continue
    if (offset !== undefined && moment - offset.offsetMs - offset.errorMs >= since) return Math.max(at, since)
    if (askedAt < since) continue
    first ??= moment
    if (moment > first && moment - first >= ON_TIME * intervalMs) return at
  }
  return undefined
}
