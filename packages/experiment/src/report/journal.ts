import { printableJson } from '@chaos/core/authoring'
import type { ExperimentResult } from '../verdict/result.js'

/** Version of the journal's shape. */
export const JOURNAL_VERSION = 1

/** The results as data: everything that was seen, and what it came to. */
export interface ResultJournal {
  readonly version: typeof JOURNAL_VERSION
  readonly experiments: readonly ExperimentResult[]
}

/** The results as a JSON journal. `undefined` is left out; what JSON cannot carry (a bigint in the evidence of a fault) is a text. */
export function toJournal(results: readonly ExperimentResult[]): string {
  const journal: ResultJournal = { version: JOURNAL_VERSION, experiments: results }
  return `${printableJson(JSON.stringify(journal, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2))}\n`
}
