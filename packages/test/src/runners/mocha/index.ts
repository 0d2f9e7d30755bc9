import { ChaosError } from '@chaos/core'
import { currentChaos } from '../../test-chaos/current-chaos.js'
import { finish, throwAll } from '../../test-chaos/finish.js'
import { openTestChaos, type OpenTestChaos } from '../../test-chaos/open-test-chaos.js'
import { fileWords, rerunLine } from '../../test-chaos/rerun.js'
import type { TestChaos, TestChaosOptions } from '../../test-chaos/test-chaos.js'
import { withCheck, type TestBody } from './with-check.js'

export { runnerClock } from '../../test-chaos/runner-clock.js'
export type { TestChaos, TestChaosOptions, TestInjectOptions } from '../../test-chaos/test-chaos.js'

/** A test of Mocha, as far as it is used here. */
interface MochaTest {
  readonly title: string
  readonly file?: string
  readonly state?: string
  readonly err?: Error
  fn?: TestBody
  titlePath(): readonly string[]
  fullTitle(): string
}

interface HookContext {
  readonly currentTest?: MochaTest
}

type Hook = (hook: (this: HookContext) => void | Promise<void>) => void

/**
 * Gives the tests of a suite, or of a file, their chaos: faults that are rolled back when their test has ended, in any outcome.
 * Call it in `describe`, or at the top of the file.
 *
 * @param options How the faults act.
 * @returns One object for all of the tests.
 */
export function useChaos(options: TestChaosOptions = {}): TestChaos {
  const owner = {}
  let open: OpenTestChaos | undefined
  hookNamed(['beforeEach', 'setup'])(function () {
    const test = this.currentTest
    if (test === undefined) return
    const started = openTestChaos({
      ...options,
      names: test.titlePath(),
      rerun: (seed) => rerunLine(seed, ['npx', 'mocha', ...fileWords(test.file), '--fgrep', test.fullTitle()]),
    })
    open = started
    // An error of a hook would end the whole suite, so the test itself finds out what its faults have missed.
    if (test.fn !== undefined)
      test.fn = withCheck(test.fn, owner, { run: started.run, check: () => throwAll(started.misses()) })
  })
  hookNamed(['afterEach', 'teardown'])(async function () {
    const { err, state } = this.currentTest ?? {}
    const ended = open
    open = undefined
    if (ended === undefined) return
    const hasFailed = state === 'failed'
    const { errors } = await finish(
      ended,
      hasFailed ? 'failed' : 'skipped',
      hasFailed && err !== undefined ? [err] : [],
    )
    throwAll(errors)
  })
  return currentChaos(() => open)
}

/** A hook of Mocha, as its interfaces BDD and TDD name it. */
function hookNamed(names: readonly string[]): Hook {
  const found = names.map((name) => (globalThis as Readonly<Record<string, unknown>>)[name])
  const hook = found.find((one) => typeof one === 'function')
  if (hook !== undefined) return hook as Hook
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected the global function \`${names.join('` or `')}\` of Mocha, found none. Call \`useChaos\` in a file that Mocha loads.`,
  )
}
