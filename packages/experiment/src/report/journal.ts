import type { ExperimentResult } from '../run/run-experiment.js'

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
  return `${JSON.stringify(journal, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2).replace(NOT_IN_JSON, escaped)}\n`
}

/** What a terminal that shows the file might obey and JSON leaves as it is: DEL, C1 control characters, format characters, line separators. */
const NOT_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** The same characters for whoever reads the JSON. */
const escaped = (character: string): string => character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
