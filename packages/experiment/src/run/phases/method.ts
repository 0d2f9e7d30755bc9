import { isControlRun } from '../../model/control-run.js'
import { aborted, pause } from '../../shared/time.js'
import { injectionIdOf } from '../recorder/injection-log.js'
import type { Run } from './run.js'

/** Breaks what the experiment says. @returns Whether the method was done to its end, and what could not be stopped in time, once that is known. */
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
  say('method', isControlRun(experiment) ? 'nothing is broken: watching' : 'breaking')
  for (const [index, step] of experiment.method.entries()) {
    if (over.aborted) return { isDone: false, stops: stopFailures() }
    if ('waitMs' in step) {
      await pause(clock, step.waitMs, over)
      continue
    }
    const { inject } = step
    const id = injectionIdOf(experiment.title, index)
    // A run that is over does not wait for a fault that is still being armed: it is told to stop.
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
