import { afterEach, beforeEach, expect as jestExpect } from '@jest/globals'
import type { ChaosMatchers } from '../../matchers/matcher-types.js'
import { matchers } from '../../matchers/matchers.js'
import { currentChaos } from '../../test-chaos/current-chaos.js'
import { finish, throwAll } from '../../test-chaos/finish.js'
import { openTestChaos, type OpenTestChaos } from '../../test-chaos/open-test-chaos.js'
import { fileWords, rerunLine, titlePattern } from '../../test-chaos/rerun.js'
import type { TestChaos, TestChaosOptions } from '../../test-chaos/test-chaos.js'
import { runningTest } from './running-test.js'

export { runnerClock } from '../../test-chaos/runner-clock.js'
export type { TestChaos, TestChaosOptions, TestInjectOptions } from '../../test-chaos/test-chaos.js'
export { withChaos } from '../../test-chaos/with-chaos.js'

jestExpect.extend(matchers)

/** `expect` of Jest, with the matchers of this package. Loading this module adds them in the whole file. */
export const expect = jestExpect as (<Actual>(
  actual: Actual,
) => ReturnType<typeof jestExpect<Actual>> & ChaosMatchers & { readonly not: ChaosMatchers }) &
  typeof jestExpect

/**
 * Gives the tests of a suite, or of a file, their chaos: faults that are rolled back when their test has ended, in any outcome.
 * Call it in `describe`, or at the top of the file. Jest runs no hooks for `test.concurrent`: such a test uses `withChaos`.
 *
 * @param options How the faults act.
 * @returns One object for all of the tests.
 */
export function useChaos(options: TestChaosOptions = {}): TestChaos {
  let open: OpenTestChaos | undefined
  beforeEach(() => {
    const { currentTestName = 'a test', testPath } = jestExpect.getState()
    open = openTestChaos({
      ...options,
      names: runningTest()?.names ?? [currentTestName],
      rerun: (seed) =>
        rerunLine(seed, [
          ...ofModules(),
          ...['npx', 'jest', ...fileWords(testPath), '-t', titlePattern(currentTestName)],
        ]),
    })
  })
  afterEach(async () => {
    const ended = open
    open = undefined
    if (ended === undefined) return
    const hasFailed = runningTest()?.hasFailed
    const { errors, explanation } = await finish(ended, hasFailed === true ? 'failed' : 'passed')
    // Jest lists the errors of a test and of its hooks one below the other.
    throwAll(errors.length === 0 && explanation !== undefined ? [withoutStack(explanation)] : errors)
  })
  return currentChaos(() => open)
}

/** Jest loads ES modules only with an option of Node.js. */
function ofModules(): readonly string[] {
  const option = '--experimental-vm-modules'
  const given = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')]
  return given.includes(option) ? [`NODE_OPTIONS=${option}`] : []
}

/** An error of which Jest prints the message, as it is, and no code. */
function withoutStack(message: string): Error {
  // Jest takes what comes before the first frame for the message, and leaves out such a frame.
  return Object.assign(new Error(message), { stack: `${message}\n    at <anonymous>:1:1` })
}
