import type { Clock } from '@chaos/core'
import type { AlertReader, AlertRule, AlertTiming } from '../alerts/reader.js'
import { inWords } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'

/** What one source of alerts says of its rules and of its timing. */
export interface SourceFacts {
  /** `undefined`: it does not tell. */
  readonly rules: readonly AlertRule[] | undefined
  readonly timing: AlertTiming
}

/** What the readers of alerts know of rules and of timing. */
export interface AlertFacts extends SourceFacts {
  /** Why rules could not be read, of each source that has some. */
  readonly rulesProblems: readonly string[]
  /** What one of the sources says. */
  of(source: string): SourceFacts
}

/** Longest wait for what a source knows, in ms, whatever the reader itself allows. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Asks each reader for its rules and its timing. Never rejects, and waits at most 10 s for each answer.
 *
 * @param others Monitorings that only probes ask: their timing says how old their data may be, and their rules are not of the experiment. Default: none.
 */
export async function alertFacts(
  readers: readonly AlertReader[],
  clock: Clock,
  others: readonly AlertReader[] = [],
): Promise<AlertFacts> {
  const rulesProblems: string[] = []
  const all: (SourceFacts & { readonly source: string })[] = []
  for (const reader of [...readers, ...others]) {
    const isOther = others.includes(reader)
    let rules: readonly AlertRule[] | undefined
    let timing: AlertTiming = {}
    try {
      if (reader.rules !== undefined && !isOther)
        rules = await withTimeout(clock, ANSWER_TIMEOUT_MS, (signal) => reader.rules?.(signal) ?? Promise.resolve([]))
    } catch (error) {
      rulesProblems.push(inWords(error))
    }
    try {
      if (reader.timing !== undefined)
        timing = await withTimeout(clock, ANSWER_TIMEOUT_MS, (signal) => reader.timing?.(signal) ?? Promise.resolve({}))
    } catch {
      // Not every source knows its timing.
    }
    all.push({ source: reader.source, rules, timing })
  }
  const told = all.flatMap(({ rules }) => (rules === undefined ? [] : [rules]))
  return {
    rules: told.length === 0 ? undefined : told.flat(),
    timing: slowest(all.slice(0, readers.length).map(({ timing }) => timing)),
    rulesProblems,
    of: (source) => all.find((one) => one.source === source) ?? { rules: undefined, timing: {} },
  }
}

/** The longest of each time span that one of several sources tells. */
function slowest(timings: readonly AlertTiming[]): AlertTiming {
  const longest = new Map<string, number>()
  for (const timing of timings)
    for (const [name, ms] of Object.entries(timing) as [string, number][])
      longest.set(name, Math.max(longest.get(name) ?? 0, ms))
  return Object.fromEntries(longest)
}
