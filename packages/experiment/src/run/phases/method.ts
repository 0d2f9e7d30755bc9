import { isControlRun } from '../../model/control-run.js'
import { aborted, pause } from '../../shared/time.js'
import { injectionIdOf } from '../recorder/injection-log.js'
import type { Run } from './run.js'

/**
 * Performs the steps of the method.
 *
 * @returns Whether all steps were completed, and the faults that `forMs` failed to stop.
 */
export async function performMethod(
  run: Run,
): Promise<{ readonly isDone: boolean; readonly stops: Promise<readonly string[]> }> {
  const {
    experiment,
    recorder: { injections },
    clock,
    over,
    say,
    changed,
  } = run
  const stops: Promise<string | undefined>[] = []
  const stopFailures = async (): Promise<readonly string[]> =>
    (await Promise.all(stops)).filter((failure) => failure !== undefined)
  say('method', isControlRun(experiment) ? 'control run: no fault is injected' : 'injecting faults')
  for (const [index, step] of experiment.method.entries()) {
    if (over.aborted) return { isDone: false, stops: stopFailures() }
    if ('waitMs' in step) {
      await pause(clock, step.waitMs, over)
      continue
    }
    const { inject } = step
    const id = injectionIdOf(experiment.title, index)
    // When the run is over, a fault that is still being armed is not awaited. The rollback stops it.
    await Promise.race([injections.inject(inject, id), aborted(over)])
    const [failure] = injections.failures
    say('method', failure ?? `${inject.fault} was injected into ${inject.target}`)
    if (failure !== undefined) return { isDone: false, stops: stopFailures() }
    const { forMs } = inject
    if (forMs !== undefined) {
      stops.push(
        pause(clock, forMs, over)
          .then(() => injections.stop(id))
          .finally(changed),
      )
    }
  }
  changed()
  return { isDone: !over.aborted, stops: stopFailures() }
}
