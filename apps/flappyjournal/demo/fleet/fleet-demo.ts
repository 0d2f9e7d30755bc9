import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { span } from '@chaos/experiment'
import { RedisMissingError } from './own-redis.js'
import { startStage } from './stage.js'
import { allHeld, summaryOf, type Step } from './steps.js'
import { STEPS, tellStory } from './story.js'

/** The exit code where Redis is not installed, so that nothing was shown. */
const NO_REDIS = 3
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * One experiment over three journal servers, with real processes: a plan, a refusal, a broken third, a dead controller and a
 * halt. Prints a summary of what was measured.
 *
 * Whatever ends it, every process that it has started ends, and its private folder is removed.
 *
 * @param reports Where the reports and the output of the servers go.
 * @returns The exit code: 0 only if every step held; 3 without Redis; 128 and the number of the signal that ended it.
 */
export async function fleetDemo(reports: string): Promise<number> {
  const startedAt = performance.now()
  const interruption = new AbortController()
  const { signal } = interruption
  let by: (typeof SIGNALS)[number] | undefined
  for (const name of SIGNALS)
    process.on(name, () => {
      by ??= name
      interruption.abort(new Error(`The demo was ended by ${name}.`))
    })
  const folder = await mkdtemp(join(tmpdir(), 'flappyjournal-fleet-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const cleanups: (() => Promise<unknown>)[] = []
  const steps: Step[] = []
  try {
    const stage = await startStage({ folder, logs: reports, onCleanup: (one) => void cleanups.push(one), signal })
    console.log(
      `Redis ${stage.redis.version} of our own runs on port ${stage.redis.port}. Each role has a user in it: agent, controller, halter, operator.`,
    )
    await tellStory({
      stage,
      reports,
      signal,
      onStep(step) {
        steps.push(step)
        console.log(`\n${step.held ? 'Held' : 'NOT HELD'}: ${step.claim}. Measured: ${step.measured.join('; ')}.`)
      },
    })
  } catch (error) {
    if (error instanceof RedisMissingError) {
      console.error(error.message)
      return NO_REDIS
    }
    console.error(by === undefined ? error : `Interrupted (${by}).`)
  } finally {
    // The newest first: what was started later uses what was started before.
    for (const cleanup of cleanups.reverse()) await cleanup().catch((error: unknown) => console.error(error))
  }
  if (steps.length > 0) console.log(`\n${summaryOf(steps)}\n`)
  const heldCount = steps.filter(({ held }) => held).length
  console.log(`${heldCount} of ${STEPS} steps held, in ${span(performance.now() - startedAt)}.`)
  console.log(`Reports, and the output of the servers: ${reports}`)
  if (by !== undefined) return 128 + constants.signals[by]
  return allHeld(steps, STEPS) ? 0 : 1
}
