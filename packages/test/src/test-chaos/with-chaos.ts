import { isError, messageOf } from '@chaos/core/authoring'
import { finish, throwAll } from './finish.js'
import { openTestChaos } from './open-test-chaos.js'
import { rerunLine } from './rerun.js'
import type { TestChaos, TestChaosOptions } from './test-chaos.js'

/**
 * Runs the body of a test with its chaos, in any runner. Faults are rolled back when the body has settled. The faults are scoped to
 * the body, unless `scoped` is `false`. For tests that no hook runs for, such as `test.concurrent` of Jest.
 *
 * @param title The name of the test. With the seed, it decides what a `rate` affects.
 * @throws The error of the body, with the explanation appended; ChaosError `CHAOS_FAULT_MISSED` if a fault hit nothing. If the body
 *   failed and a fault could not be rolled back either, an AggregateError of both.
 */
export async function withChaos<Result>(
  title: string,
  body: (chaos: TestChaos) => Result | Promise<Result>,
  options: TestChaosOptions = {},
): Promise<Result> {
  const open = openTestChaos({
    scoped: true,
    ...options,
    names: [title],
    rerun: (seed) => `${rerunLine(seed, [])} and the command of the test runner`,
  })
  let result: Result
  try {
    result = await open.run(() => body(open.chaos))
  } catch (error) {
    const { errors } = await finish(open, 'failed', isError(error) ? [error] : [])
    if (errors.length > 0) throwAll([isError(error) ? error : new Error(messageOf(error)), ...errors])
    throw error
  }
  throwAll((await finish(open, 'passed')).errors)
  return result
}
