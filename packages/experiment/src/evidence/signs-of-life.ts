import { withoutSlash } from '../shared/address.js'
import { MAX_AWAITED_MS } from '../alerts/reader.js'
import { clockOffset } from './clock-offset.js'
import type { Monitor } from './evidence.js'

/** A monitoring system has stalled when an evaluation or scrape is this many intervals plus this many ms late. */
const LATE_INTERVALS = 3
const SLACK_MS = 5_000
/** An evaluation or scrape may be a little early: after this share of the interval it counts as the next one. */
const ON_TIME = 0.9

/** The monitoring system at an address. */
export function monitorOf(monitors: readonly Monitor[], address: string | undefined): Monitor | undefined {
  return address === undefined
    ? undefined
    : monitors.find(({ source }) => withoutSlash(source) === withoutSlash(address))
}

/** The longest time without an evaluation or a scrape, in ms. */
export const maxStandstillMs = (intervalMs: number): number => LATE_INTERVALS * intervalMs + SLACK_MS

/** The longest that a working monitoring system takes until its next evaluation and scrape, in ms. */
export const longestLookMs = ({ ruleIntervalMs, scrapeIntervalMs }: Monitor): number =>
  maxStandstillMs(Math.min(MAX_AWAITED_MS, Math.max(ruleIntervalMs, scrapeIntervalMs)))

/** The subject of a reported problem, without its reason: the same target may refuse once and time out later. */
export const subjectOf = (problem: string): string => problem.split(': ', 1)[0] ?? problem

/** The signs of life of a monitoring system. */
type Sign = 'evaluatedAt' | 'scrapedAt'

/**
 * Whether a monitoring system has evaluated its rules (if it is a source of alerts) and scraped its targets since a
 * moment, as far as it reports that.
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
 * When the run first saw that every rule group was evaluated, or every target scraped, since a moment. A monitoring
 * system that does not report this, or whose interval is too long to wait for, counts as having done so. `undefined`:
 * not seen.
 *
 * A sign of life is the oldest time of all groups or targets. Two things prove that all were processed since the
 * moment: the sign is later than the moment by the monitoring system's clock, or the signs in two answers after the
 * moment are one interval apart. The second proof needs no clock offset.
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
