import type { AlertReader, AlertRule, AlertTiming } from '../alerts/reader.js'

/** What the sources of alerts say of their rules and of their timing. */
export interface MonitoringFacts {
  /** Rules of all sources; `undefined` where none tells. */
  readonly rules: readonly AlertRule[] | undefined
  readonly timing: AlertTiming
  /** Why rules could not be read, for each source that has rules and failed to give them. */
  readonly problems: readonly string[]
  /** What one source says. */
  of(source: string): { readonly rules: readonly AlertRule[]; readonly timing: AlertTiming }
}

/** Asks every source once. */
export async function monitoringFacts(readers: readonly AlertReader[]): Promise<MonitoringFacts> {
  const facts = await Promise.all(readers.map(factsOf))
  const telling = facts.filter(({ tells }) => tells)
  return {
    rules: telling.length === 0 ? undefined : telling.flatMap(({ rules }) => rules),
    timing: Object.assign({}, ...facts.map(({ timing }) => timing)) as AlertTiming,
    problems: facts.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
    of: (source) => facts.find((one) => one.source === source) ?? { rules: [], timing: {} },
  }
}

interface SourceFacts {
  readonly source: string
  readonly tells: boolean
  readonly rules: readonly AlertRule[]
  readonly timing: AlertTiming
  readonly problem: string | undefined
}

async function factsOf(reader: AlertReader): Promise<SourceFacts> {
  // Not every source knows its timing.
  const timing = await Promise.resolve(reader.timing?.()).catch(() => undefined)
  const known = { source: reader.source, timing: timing ?? {} }
  try {
    const rules = await reader.rules?.()
    return { ...known, tells: rules !== undefined, rules: rules ?? [], problem: undefined }
  } catch (error) {
    return { ...known, tells: false, rules: [], problem: error instanceof Error ? error.message : String(error) }
  }
}
