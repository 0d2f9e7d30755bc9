import { ChaosError } from '@chaos/core'
import type { OpenTestChaos } from './open-test-chaos.js'
import type { TestChaos } from './test-chaos.js'

/** One object for all tests of a suite: each of its members is the one of the test that runs. */
export function currentChaos(open: () => OpenTestChaos | undefined): TestChaos {
  const current = (): TestChaos => {
    const test = open()
    if (test === undefined)
      throw new ChaosError(
        'CHAOS_INJECTION_ENDED',
        'No test runs that `useChaos` was called for. Use its result in a test of the suite, or in its `beforeEach`.',
      )
    test.enter()
    return test.chaos
  }
  return {
    get inject() {
      return current().inject
    },
    get withFault() {
      return current().withFault
    },
    get clock() {
      return current().clock
    },
    set clock(clock) {
      current().clock = clock
    },
    get scope() {
      return current().scope
    },
    get seed() {
      return current().seed
    },
  }
}
