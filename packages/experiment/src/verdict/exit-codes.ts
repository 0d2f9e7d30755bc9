/** The name of a verdict. */
export type VerdictName =
  | 'pass'
  | 'weakness-found'
  | 'gate-unmet'
  | 'fault-did-not-land'
  | 'alert-failed'
  | 'guardrail-tripped'
  | 'rollback-failed'
  | 'inconclusive'

/** Exit codes by verdict. Codes 1 (tool failure) and 2 (usage error) are reserved for the command. */
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

/** Verdicts from worst to best. The result of several experiments is the worst of their verdicts. */
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
