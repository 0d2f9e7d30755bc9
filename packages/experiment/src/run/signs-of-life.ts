import type { Monitor } from './evidence.js'

/** How many intervals an evaluation or a scrape may be late, and how much longer on top, in ms, before the monitoring counts as standing still. */
const LATE_INTERVALS = 3
const SLACK_MS = 5_000
/** The longest interval, in ms, for whose next turn a run waits: one group of rules that is looked at once an hour must not make it wait for hours. */
const MAX_AWAITED_MS = 120_000

/** The longest time without an evaluation or a scrape, in ms. */
export const maxStandstillMs = (intervalMs: number): number => LATE_INTERVALS * intervalMs + SLACK_MS

/** How long a monitoring that works may take to look again, in ms. */
export const longestLookMs = ({ ruleIntervalMs, scrapeIntervalMs }: Monitor): number => maxStandstillMs(Math.min(MAX_AWAITED_MS, Math.max(ruleIntervalMs, scrapeIntervalMs)))

/**
 * Whether a monitoring has evaluated its rules (where it is a source of alerts) and scraped its targets since a moment, as far as it tells: one answer
 * to a question from after the moment names a later time than another. No clock has a say in it.
 */
export function hasLookedSince({ readings, ruleIntervalMs, scrapeIntervalMs }: Monitor, since: number, isAlertSource: boolean): boolean {
  const later = readings.filter(({ askedAt }) => askedAt >= since)
  return ([['evaluatedAt', isAlertSource, ruleIntervalMs], ['scrapedAt', true, scrapeIntervalMs]] as const).every(([sign, isNeeded, intervalMs]) => {
    if (!isNeeded || intervalMs > MAX_AWAITED_MS || readings.every(({ [sign]: moment }) => moment === undefined)) return true
    const moments = later.flatMap(({ [sign]: moment }) => (moment === undefined ? [] : [moment]))
    return moments.some((moment) => moment > (moments[0] ?? moment))
  })
}
