import { expect, test as vitestTest, type RunnerTestCase, type TestAPI } from 'vitest'
import type { ChaosMatchers } from '../../matchers/matcher-types.js'
import { matchers } from '../../matchers/matchers.js'
import { finish, throwAll, type BodyOutcome, type Finished } from '../../test-chaos/finish.js'
import { openTestChaos, type OpenTestChaos } from '../../test-chaos/open-test-chaos.js'
import { fileWords, rerunLine, titlePattern } from '../../test-chaos/rerun.js'
import type { TestChaos, TestChaosOptions } from '../../test-chaos/test-chaos.js'
import { exploreTest, type ExploreTest } from './explore-test.js'

export { runnerClock } from '../../test-chaos/runner-clock.js'
export type { TestChaos, TestChaosOptions, TestInjectOptions } from '../../test-chaos/test-chaos.js'

declare module 'vitest' {
  // Without parameters: Vitest 5 has others than Vitest 4, and all of them have defaults.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- Vitest names it so.
  interface Matchers extends ChaosMatchers {}
}

expect.extend(matchers)

/** `expect` of Vitest, with the matchers of this package. Importing this module adds them everywhere. */
export { expect }

/** The fixtures of {@link test}. */
export interface ChaosFixtures {
  /** Injects faults into what the test uses. They are rolled back when the test has ended, in any outcome. */
  chaos: TestChaos
  /** How the faults of a test act. `test.override({ chaosOptions: { scoped: true } })` sets it for a file or a suite. */
  chaosOptions: TestChaosOptions
}

/** What the fixture `chaos` is made of. */
interface OwnFixtures {
  chaosOfTest: OpenTestChaos
}

const testWithChaos: TestAPI<ChaosFixtures> = vitestTest.extend<ChaosFixtures & OwnFixtures>({
  chaosOptions: {},
  async chaosOfTest({ task, chaosOptions, onTestFinished }, use) {
    const names = namesOf(task)
    const open = openTestChaos({
      scoped: task.concurrent === true,
      ...chaosOptions,
      names,
      rerun: (seed) =>
        rerunLine(seed, [...['npx', 'vitest', 'run', ...fileWords(task.file.filepath)], ...['-t', patternOf(names)]]),
    })
    let finished: Promise<Finished> | undefined
    const end = (): Promise<Finished> => (finished ??= finish(open, outcomeOf(task), task.result?.errors))
    // Called last. Vitest reports what a fixture throws twice, and Vitest 3.2 forgets fixtures if an `afterEach` throws.
    onTestFinished(async () => {
      const { errors } = await end()
      if (errors.length === 0) return
      // Only its body may fail a test that is expected to fail.
      Object.assign(task, { fails: false })
      throwAll(errors)
    })
    await use(open)
    await end()
  },
  // A fixture of its own: Vitest waits for the one before. Before Node.js 24, what is entered in the very call by which scopes begin
  // to be carried would be entered for all that goes on in that turn of the event loop, also for other tests.
  // Nothing may be awaited before `enter`: only then does Vitest go on to run the test in its scope.
  async chaos({ chaosOfTest }, use) {
    chaosOfTest.enter()
    await use(chaosOfTest.chaos)
  },
})

/** `test` of Vitest, with the fixture `chaos` and with `test.explore`. */
export type ChaosTest = TestAPI<ChaosFixtures> & { readonly explore: ExploreTest }

/** `test` of Vitest, with the fixture `chaos` and with `test.explore`. */
export const test: ChaosTest = Object.assign(testWithChaos, {
  explore: exploreTest,
})

/** As {@link test}. @alias */
export const it: ChaosTest = test

/** Up to Vitest 4, a title has a space between the names of its suites and its own, from Vitest 5 on ` > `. */
function patternOf(names: readonly string[]): string {
  return titlePattern(names.join(' > ')).replaceAll(' > ', ' (> )?')
}

function namesOf(task: Readonly<RunnerTestCase>): readonly string[] {
  const names = [task.name]
  for (let suite = task.suite; suite !== undefined && suite !== task.file; suite = suite.suite)
    names.unshift(suite.name)
  return names
}

function outcomeOf({ result }: Readonly<RunnerTestCase>): BodyOutcome {
  if (result?.state === 'fail') return 'failed'
  return result?.state === 'pass' ? 'passed' : 'skipped'
}
