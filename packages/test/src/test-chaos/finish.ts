import { amend, type ReportedError } from './amend.js'
import type { OpenFaults } from './open-test-chaos.js'

/** What the body of a test came to. `unknown`: the runner does not tell. */
export type BodyOutcome = 'passed' | 'failed' | 'skipped' | 'unknown'

/** How a test ended, for its runner to report. */
export interface Finished {
  /** What must fail the test, though its body may have passed: faults that hit nothing, and failed rollbacks. */
  readonly errors: readonly Error[]
  /** Explains a failure. `undefined`: the test passed, or it has injected no fault. */
  readonly explanation: string | undefined
}

/**
 * Ends the chaos of a test, in any outcome of its body.
 *
 * @param reported The errors that the runner will report for the body. The explanation is appended to them and to `errors`.
 */
export async function finish(
  open: OpenFaults,
  outcome: BodyOutcome,
  reported: readonly ReportedError[] = [],
): Promise<Finished> {
  // Before the end: then it still says which faults were in force.
  const explanation = open.explanation()
  const misses = outcome === 'passed' || outcome === 'unknown' ? open.misses() : []
  const failures = await open.end()
  const errors = [...misses, ...failures].map((one) => (one instanceof Error ? one : new Error(String(one))))
  const isExplained = outcome === 'failed' || outcome === 'unknown' || errors.length > 0
  if (explanation === undefined || !isExplained) return { errors, explanation: undefined }
  for (const error of [...reported, ...errors.slice(0, 1)]) amend(error, explanation)
  return { errors, explanation }
}

/** Throws the errors of a test, as one. */
export function throwAll(errors: readonly Error[]): void {
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1) throw first
  throw new AggregateError(errors, errors.map(({ message }) => message).join('\n\n'))
}
