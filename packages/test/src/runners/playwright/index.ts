import { expect as playwrightExpect, test as playwrightTest, type TestInfo } from '@playwright/test'
import { ChaosError, type ChaosController } from '@chaos/core'
import { finish, throwAll, type BodyOutcome } from '../../test-chaos/finish.js'
import { openTestChaos, type OpenFaults } from '../../test-chaos/open-test-chaos.js'
import { matchers } from '../../matchers/matchers.js'
import { fileWords, rerunLine } from '../../test-chaos/rerun.js'
import type { TestChaos, TestChaosOptions } from '../../test-chaos/test-chaos.js'
import { openRemoteChaos, type RemoteChaos } from './remote-chaos.js'

export { runnerClock } from '../../test-chaos/runner-clock.js'
export type { TestChaos, TestChaosOptions, TestInjectOptions } from '../../test-chaos/test-chaos.js'
export type { RemoteChaos, RemoteInjection, RemoteInjectOptions } from './remote-chaos.js'

/** `expect` of Playwright, with the matchers of this package. */
export const expect = playwrightExpect.extend(matchers)

/** The fixtures of {@link test} for each test. */
export interface ChaosFixtures {
  /** Injects faults into objects of the process of the test. They are rolled back when the test has ended, in any outcome. */
  chaos: TestChaos
  /** How the faults of `chaos` act. */
  chaosOptions: TestChaosOptions
  /** Injects faults into the application, through `chaosController`. They are stopped when the test has ended, in any outcome. */
  remoteChaos: RemoteChaos
}

/** The fixtures of {@link test} for each worker. */
export interface ChaosWorkerFixtures {
  /** Controls the application, such as what `connect` of `@chaos/control` resolves to. Extend {@link test} to set it. */
  chaosController: ChaosController | undefined
}

/** `test` of Playwright, with the fixtures `chaos` and `remoteChaos`. */
export const test = playwrightTest.extend<ChaosFixtures, ChaosWorkerFixtures>({
  chaosController: [undefined, { scope: 'worker', option: true }],
  chaosOptions: [{}, { option: true }],
  async chaos({ chaosOptions }, use, info) {
    const open = openTestChaos({ ...chaosOptions, names: info.titlePath.slice(1), rerun: rerunOf(info) })
    await use(open.chaos)
    await report(info, open)
  },
  async remoteChaos({ chaosController }, use, info) {
    if (chaosController === undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'The fixture `remoteChaos` needs the fixture `chaosController`. Extend `test` with a worker fixture that connects to the application.',
      )
    // The application may be that of several workers. The id of a test is not that of another, nor of another project or repetition.
    const open = openRemoteChaos(chaosController, info.testId, rerunOf(info))
    await use(open.chaos)
    await open.refresh()
    await report(info, open)
  },
})

function rerunOf({ file, line, project }: TestInfo): (seed: string) => string {
  const [name = ''] = fileWords(file)
  const ofProject = project.name === '' ? [] : [`--project=${project.name}`]
  return (seed) => rerunLine(seed, ['npx', 'playwright', 'test', `${name}:${line}`, ...ofProject])
}

/** Ends the faults of a test. A failing test gets the explanation, which reporters print, and the journal as attachments. */
async function report(info: TestInfo, open: OpenFaults): Promise<void> {
  const { errors, explanation } = await finish(open, outcomeOf(info))
  if (explanation !== undefined) {
    // The errors carry it themselves.
    if (errors.length === 0) await info.attach('chaos', { body: explanation, contentType: 'text/plain' })
    await info.attach('chaos-journal', {
      body: JSON.stringify(open.journal(), null, 2),
      contentType: 'application/json',
    })
  }
  // Only its body may fail a test that is expected to fail.
  if (errors.length > 0) info.expectedStatus = 'passed'
  throwAll(errors)
}

function outcomeOf({ status, errors }: TestInfo): BodyOutcome {
  if (status === 'skipped') return 'skipped'
  return status === 'passed' && errors.length === 0 ? 'passed' : 'failed'
}
