import type { WaitOptions } from './poll.js'
import type { ExpectedAlert } from './to-have-fired-alert.js'
import type { ExpectedRetries } from './to-have-retried.js'

/** The matchers, as `expect` has them. */
export interface ChaosMatchers<Result = void> {
  /** A fault has affected something. */
  toHaveLanded(): Result
  /** A fault has affected an operation: its n-th call, or any. */
  toHaveHit(operation: string, call?: number): Result
  /** A check of health holds again within some ms. */
  toRecoverWithin(withinMs: number, options?: WaitOptions): Promise<Result>
  /** Calls that failed were tried again, as expected. */
  toHaveRetried(expected?: ExpectedRetries): Result
  /** An alert fires. */
  toHaveFiredAlert(name: string, expected?: ExpectedAlert): Promise<Result>
}
