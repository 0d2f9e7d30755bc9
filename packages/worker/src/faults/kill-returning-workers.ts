import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'
import {
  idOf,
  isWorkerOrProcessTarget,
  livingOf,
  WORKER_OR_PROCESS_TARGET,
  type WorkerOrProcess,
  type WorkerOrProcessTarget,
} from '../targets/threads-and-processes.js'

const options = {
  aliveMs: option.optional(option.durationMs('Time from first seeing a worker to killing it, in ms.'), 0),
  lookEveryMs: option.optional(option.count('Interval at which the target is checked for workers, in ms.', 1), 10),
}

/** Options of {@link killReturningWorkers}. */
export type KillReturningWorkersOptions = OptionsOf<typeof killReturningWorkers>

/**
 * Kills every worker of a target, and each replacement as soon as it appears: a crash loop.
 *
 * Models a worker that cannot stay up: a bad deploy, a poisoned task, a machine without memory. It shows whether the
 * supervisor backs off. Threads are terminated; processes get SIGKILL. Use a target that shows replacements: a function, a
 * pool, or `node:cluster`.
 *
 * An operation is one newly seen worker, named `kill`; `limit` bounds the number of kills. Each kill is evidence. A worker
 * that waits for its `aliveMs` when the fault ends survives.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `aliveMs` does not fit a timer, `CHAOS_NO_LIVE_WORKER` if the target has no live worker
 *   when the fault is injected.
 */
export const killReturningWorkers = defineFault({
  name: 'worker/kill-returning-workers',
  kind: 'standing',
  summary: 'Kills every worker of a target, and each replacement as soon as it appears.',
  options,
  target: { expects: WORKER_OR_PROCESS_TARGET, accepts: isWorkerOrProcessTarget },
  inject(target: WorkerOrProcessTarget, { aliveMs, lookEveryMs }, context) {
    if (livingOf(target).length === 0)
      throw new ChaosError(
        'CHAOS_NO_LIVE_WORKER',
        'The target has no live worker or process. Inject the fault once one has started.',
      )
    const operation = context.operation('kill')
    const seen = new WeakSet<WorkerOrProcess>()
    repeat(context, lookEveryMs, () => {
      for (const one of livingOf(target)) {
        if (seen.has(one)) continue
        seen.add(one)
        if (!operation.shouldInject([one])) continue
        const run = (): void => {
          context.landed(idOf(one))
          if ('threadId' in one) void one.terminate()
          else one.kill('SIGKILL')
        }
        if (aliveMs === 0) run()
        else context.hold({ afterMs: aliveMs, run, signal: context.signal })
      }
    })
  },
})
