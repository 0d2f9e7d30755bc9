import { finish, throwAll } from '../../test-chaos/finish.js'
import { openTestChaos } from '../../test-chaos/open-test-chaos.js'
import { fileWords, loaderWords, rerunLine, titlePattern } from '../../test-chaos/rerun.js'
import type { TestChaos, TestChaosOptions } from '../../test-chaos/test-chaos.js'

export { runnerClock } from '../../test-chaos/runner-clock.js'
export type { TestChaos, TestChaosOptions, TestInjectOptions } from '../../test-chaos/test-chaos.js'

/** What stands between titles in a full name. */
const BETWEEN = ' > '

/** The context of a test of `node:test`. What is optional here came to Node.js after version 18. */
export interface NodeTestContext {
  readonly name: string
  readonly fullName?: string
  readonly filePath?: string | undefined
  readonly passed?: boolean
  readonly error?: unknown
  after(hook: () => Promise<void>): void
  diagnostic(message: string): void
}

/**
 * Gives a test of `node:test` its chaos: faults that are rolled back when the test has ended, in any outcome.
 *
 * @param t The context of the test.
 * @param options How the faults act. `node:test` does not tell which tests are concurrent: `scoped: true` says it.
 */
export function useChaos(t: NodeTestContext, options: TestChaosOptions = {}): TestChaos {
  const { name, fullName = name } = t
  // A title may itself have what stands between titles.
  const around = fullName.endsWith(`${BETWEEN}${name}`) ? fullName.slice(0, -name.length - BETWEEN.length) : ''
  const names = around === '' ? [name] : [...around.split(BETWEEN), name]
  const open = openTestChaos({
    ...options,
    names,
    rerun: (seed) =>
      rerunLine(seed, [
        'node',
        ...loaderWords(),
        '--test',
        `--test-name-pattern=${patternOf(names)}`,
        ...fileWords(t.filePath ?? process.argv[1]),
      ]),
  })
  open.enter()
  t.after(async () => {
    const { errors, explanation } = await finish(open, outcomeOf(t))
    if (explanation !== undefined) for (const line of explanation.split('\n')) t.diagnostic(line)
    throwAll(errors)
  })
  return open.chaos
}

function outcomeOf({ passed, error }: NodeTestContext): 'passed' | 'failed' | 'unknown' {
  if (passed === undefined) return 'unknown'
  return passed && (error === undefined || error === null) ? 'passed' : 'failed'
}

/** The pattern that selects a test. Since Node.js 22 it is compared with the names of the suites too. */
function patternOf(names: readonly string[]): string {
  const [major = '0'] = process.versions.node.split('.')
  return titlePattern(Number(major) >= 22 ? names.join(' ') : (names.at(-1) ?? ''))
}
