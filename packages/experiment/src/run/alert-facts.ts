import type { Clock } from '@chaos/core'
import type { AlertReader, AlertRule, AlertTiming } from '../alerts/reader.js'
import { inWords } from '../shared/answer.js'
import { withTimeout } from '../shared/time.js'

/** The rules and the timing of one alert source. */
export interface SourceFacts {
  /** `undefined`: the source does not provide rules. */
  readonly rules: readonly AlertRule[] | undefined
  readonly timing: AlertTiming
}

/** The rules and the timing of all alert sources. */
export interface AlertFacts extends SourceFacts {
  /** For each source with rules that could not be read: the reason. */
  readonly rulesProblems: readonly string[]
  /** The facts of one source. */
  of(source: string): SourceFacts
}

/** The longest wait for an answer, in ms. It applies in addition to the reader's own limit. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Requests rules and timing from each reader. Never rejects, and waits at most 10 s for each answer.
 *
 * @param others Monitoring systems that only probes query. Their timing limits the age of their data, and their rules
 *   are ignored. Default: none.
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
      // A source may not provide its timing.
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

/** The longest of each interval over several sources. */
function slowest(timings: readonly AlertTiming[]): AlertTiming {
  const longest = new Map<string, number>()
  for (const timing of timings)
    for (const [name, ms] of Object.entries(timing) as [string, number][])
      longest.set(name, Math.max(longest.get(name) ?? 0, ms))
  return Object.fromEntries(longest)
}
