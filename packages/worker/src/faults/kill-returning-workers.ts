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
  aliveMs: option.optional(option.durationMs('Time that each worker is left alive after it was first seen, in ms.'), 0),
  lookEveryMs: option.optional(option.count('How often the target is looked at, in ms.', 1), 10),
}

/** Options of {@link killReturningWorkers}. */
export type KillReturningWorkersOptions = OptionsOf<typeof killReturningWorkers>

/**
 * Kills every worker of a target, and each replacement again as soon as it is back: a crash loop.
 *
 * Models a worker that cannot stay up: a bad deploy, a poisoned task, a machine without memory. It shows whether the supervisor backs off.
 * Threads are terminated, processes get SIGKILL. The target should be one in which replacements show: a function, a pool, `node:cluster`.
 * An operation is a worker that is first seen, named `kill`; `limit` is how often it kills at most. Each kill is evidence. A worker whose
 * time has not come when the fault ends lives on.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `aliveMs` does not fit a timer, `CHAOS_NO_LIVE_WORKER` when the target has none to begin with
 */
export const killReturningWorkers = defineFault({
  name: 'worker/kill-returning-workers',
  kind: 'standing',
  summary: 'Kills every worker of a target, and each replacement as soon as it is back.',
  options,
  target: { expects: WORKER_OR_PROCESS_TARGET, accepts: isWorkerOrProcessTarget },
  inject(target: WorkerOrProcessTarget, { aliveMs, lookEveryMs }, context) {
    if (livingOf(target).length === 0)
      throw new ChaosError(
        'CHAOS_NO_LIVE_WORKER',
        'Expected the target to have a live worker to begin with, got none. Wait until one has started.',
      )
    const operation = context.operation('kill')
    const met = new WeakSet<WorkerOrProcess>()
    repeat(context, lookEveryMs, () => {
      for (const one of livingOf(target)) {
        if (met.has(one)) continue
        met.add(one)
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
