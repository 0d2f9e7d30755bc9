import { ChaosError } from '../basics/errors.js'
import { messageOf } from '../basics/text.js'
import type { Fault } from '../fault/fault.js'
import { inject, type BareInjectOptions } from './inject.js'
import type { Injection } from './injection.js'

/** The work to run while a fault is in force. */
type Work<Result> = (injection: Injection) => Result | Promise<Result>

/**
 * Runs `work` while a fault is in force, then rolls the fault back, even if `work` throws.
 *
 * @param options How to inject the fault, as for {@link inject}. May be left out.
 * @returns The result of `work`.
 * @throws The error of `work`, or an error of {@link inject}.
 * @throws ChaosError `CHAOS_ROLLBACK_FAILED` if the rollback failed. If `work` failed too, `cause` is the error of `work`.
 */
export function withFault<Target extends object, Result>(
  fault: Fault<Target>,
  target: Target,
  work: Work<Result>,
): Promise<Result>
export function withFault<Target extends object, Result>(
  fault: Fault<Target>,
  target: Target,
  options: BareInjectOptions,
  work: Work<Result>,
): Promise<Result>
export async function withFault<Target extends object, Result>(
  fault: Fault<Target>,
  target: Target,
  ...rest: readonly [Work<Result>] | readonly [BareInjectOptions, Work<Result>]
): Promise<Result> {
  const [options, work] = rest.length === 1 ? [{}, rest[0]] : rest
  if (typeof work !== 'function')
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      'Pass the work to run as the last argument of `withFault`: `withFault(fault, target, { rate: 0.1 }, async () => { … })`.',
    )
  const injection = await inject(fault, target, options)
  let failure: { readonly error: unknown } | undefined
  try {
    return await work(injection)
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    // A failed rollback must not hide the error of the work.
    await injection.rollback().catch((error: unknown) => {
      if (failure === undefined) throw error
      throw new ChaosError(
        'CHAOS_ROLLBACK_FAILED',
        `The work failed, and the rollback of ${injection.id} failed too: ${messageOf(error)}`,
        { errors: [failure.error, error], cause: failure.error },
      )
    })
  }
}
