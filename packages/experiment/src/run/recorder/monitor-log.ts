import type { Clock } from '@chaos/core'
import { awaited, type AlertReader } from '../../alerts/reader.js'
import { reasonOf } from '../../shared/answer.js'
import { withTimeout } from '../../shared/time.js'
import type { SourceFacts } from '../alert-facts.js'
import type { ClockReading, Monitor, MonitorReading } from '../../evidence/evidence.js'
import { subjectOf } from '../../evidence/signs-of-life.js'

/** The longest wait for a sign of life, in ms. */
const ANSWER_TIMEOUT_MS = 5_000

/** Follows the signs of life of a monitoring system. */
export interface MonitorLog {
  readonly source: string
  monitor(): Monitor
  /** Reads once. Never rejects; a failed reading is recorded. */
  read(signal?: AbortSignal): Promise<void>
}

export function monitorLog(
  { source, health }: Pick<AlertReader, 'source' | 'health'>,
  clock: Clock,
  { rules = [], timing }: SourceFacts,
): MonitorLog {
  const readings: MonitorReading[] = []
  const own: ClockReading[] = []
  /** The problems at the first reading. They must not hide later problems. */
  let usual: ReadonlySet<string> | undefined
  return {
    source,
    monitor: () => ({
      source,
      ruleIntervalMs: Math.max(timing.evaluationIntervalMs ?? 0, ...awaited(rules).map(({ intervalMs }) => intervalMs)),
      scrapeIntervalMs: timing.scrapeIntervalMs ?? 0,
      readings,
      clock: own,
    }),
    async read(signal) {
      if (health === undefined) return
      const askedAt = clock.now()
      try {
        const {
          now,
          nowErrorMs,
          evaluatedAt,
          scrapedAt,
          isBlind = false,
          problems,
        } = await withTimeout(clock, ANSWER_TIMEOUT_MS, (inner) => health(inner), signal)
        const at = clock.now()
        usual ??= new Set(problems.map(subjectOf))
        readings.push({
          askedAt,
          at,
          evaluatedAt,
          scrapedAt,
          isBlind,
          problem: problems.find((problem) => usual?.has(subjectOf(problem)) === false) ?? problems[0],
        })
        if (now !== undefined) own.push({ at, offsetMs: now - at, errorMs: nowErrorMs })
      } catch (error) {
        if (signal?.aborted === true) return
        readings.push({
          askedAt,
          at: clock.now(),
          evaluatedAt: undefined,
          scrapedAt: undefined,
          isBlind: false,
          problem: reasonOf(error),
        })
      }
    },
  }
}
