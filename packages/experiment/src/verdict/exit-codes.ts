/** What a run comes to. */
export type VerdictName =
  | 'pass'
  | 'weakness-found'
  | 'gate-unmet'
  | 'fault-did-not-land'
  | 'alert-failed'
  | 'guardrail-tripped'
  | 'rollback-failed'
  | 'inconclusive'

/** Exit codes by verdict. 1 is an error of the tool itself, 2 a mistake in its use. */
export const EXIT_CODES: Readonly<Record<VerdictName, number>> = {
  pass: 0,
  'weakness-found': 10,
  'gate-unmet': 11,
  'fault-did-not-land': 12,
  'alert-failed': 13,
  'guardrail-tripped': 14,
  'rollback-failed': 15,
  inconclusive: 16,
}

/** The exit code of a verdict. */
export function exitCodeOf({ name }: { readonly name: VerdictName }): number {
  return EXIT_CODES[name]
}

/** Verdicts from worst to best: where several experiments ran, the first of these that occurred is the run's. */
export const VERDICTS_WORST_FIRST: readonly VerdictName[] = [
  'rollback-failed',
  'guardrail-tripped',
  'weakness-found',
  'alert-failed',
  'fault-did-not-land',
  'gate-unmet',
  'inconclusive',
  'pass',
]
