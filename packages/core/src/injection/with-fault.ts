import { ChaosError } from '../basics/errors.js'
import { messageOf } from '../basics/text.js'
import type { Fault } from '../fault/fault.js'
import { inject, type BareInjectOptions } from './inject.js'
import type { Injection } from './injection.js'

/** What runs while a fault is in force. */
type Work<Result> = (injection: Injection) => Result | Promise<Result>

/**
 * Runs `work` with a fault in force, and rolls the fault back afterwards whatever happens.
 *
 * @param options How the fault is put in force, as {@link inject} takes them; may be left out.
 * @returns What `work` returned.
 * @throws What `work` threw; ChaosError `CHAOS_ROLLBACK_FAILED` when the fault could not be rolled back.
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
      'The last argument of `withFault` must be a function, the work to run: `withFault(fault, target, { rate: 0.1 }, async () => { … })`.',
    )
  const injection = await inject(fault, target, options)
  let failure: { readonly error: unknown } | undefined
  try {
    return await work(injection)
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    // A failed rollback must not hide what went wrong before it.
    await injection.rollback().catch((error: unknown) => {
      if (failure === undefined) throw error
      throw new ChaosError(
        'CHAOS_ROLLBACK_FAILED',
        `The work failed, and so did the rollback of ${injection.id}: ${messageOf(error)}`,
        { errors: [failure.error, error], cause: failure.error },
      )
    })
  }
}
