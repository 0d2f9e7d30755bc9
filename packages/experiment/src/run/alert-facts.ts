import type { Clock } from '@chaos/core'
import type { AlertReader, AlertRule, AlertTiming } from '../alerts/reader.js'
import { inWords } from '../answer.js'
import { withTimeout } from '../time.js'

/** What the readers of alerts know of rules and of timing. */
export interface AlertFacts {
  /** `undefined` where no source tells. */
  readonly rules: readonly AlertRule[] | undefined
  readonly timing: AlertTiming
  /** Why rules could not be read, of each source that has some. */
  readonly rulesProblems: readonly string[]
}

/** Longest wait for what a source knows, in ms, whatever the reader itself allows. */
const ANSWER_TIMEOUT_MS = 10_000

/** Asks each reader for its rules and its timing. Never rejects, and waits at most 10 s for each answer. */
export async function alertFacts(readers: readonly AlertReader[], clock: Clock): Promise<AlertFacts> {
  const rulesProblems: string[] = []
  let rules: AlertRule[] | undefined
  let timing: AlertTiming = {}
  for (const reader of readers) {
    try {
      if (reader.rules !== undefined) rules = [...(rules ?? []), ...(await withTimeout(clock, ANSWER_TIMEOUT_MS, (signal) => reader.rules?.(signal) ?? Promise.resolve([])))]
    } catch (error) {
      rulesProblems.push(inWords(error))
    }
    try {
      if (reader.timing !== undefined) timing = { ...timing, ...(await withTimeout(clock, ANSWER_TIMEOUT_MS, (signal) => reader.timing?.(signal) ?? Promise.resolve({}))) }
    } catch {
      // Not every source knows its timing.
    }
  }
  return { rules, timing, rulesProblems }
}
