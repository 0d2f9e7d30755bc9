import { printableJson } from '@chaos/core/authoring'
import type { ExperimentResult } from '../verdict/result.js'

/** The version of the journal format. */
export const JOURNAL_VERSION = 1

/** Results as data: the evidence and the verdict of each run. */
export interface ResultJournal {
  readonly version: typeof JOURNAL_VERSION
  readonly experiments: readonly ExperimentResult[]
}

/**
 * Renders results as a JSON journal. `undefined` is omitted. A bigint, which JSON cannot represent, becomes a string.
 */
export function toJournal(results: readonly ExperimentResult[]): string {
  const journal: ResultJournal = { version: JOURNAL_VERSION, experiments: results }
  return `${printableJson(JSON.stringify(journal, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2))}\n`
}
