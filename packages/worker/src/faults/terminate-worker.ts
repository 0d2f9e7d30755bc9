import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { exitOf } from '../threads/exit.js'
import { strikeEach } from '../threads/strike-each.js'
import { waitUntilStrike, strikeTiming } from '../threads/strike-timing.js'
import { chooseWorkers, selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = { ...workerSelection, ...strikeTiming, ...workerSelectionInProcess }

/** Options of {@link terminateWorker}. */
export type TerminateWorkerOptions = OptionsOf<typeof terminateWorker>

/**
 * Terminates live workers with `worker.terminate()`: at once, even in an endless loop, with exit code 1 and no `error` event.
 *
 * Models a thread that dies without warning, between two messages or in the middle of a task. The fault is done when every
 * chosen worker has emitted `exit`; the exit code is the evidence. The fault does not restart workers: that is the
 * application's job. An operation is one chosen worker, named `terminate`, so `rate` and `limit` narrow the choice.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no live worker
 *   matches, or each chosen one ended before its message came,
 *   `CHAOS_INJECTION_ENDED` if a worker did not exit within the lease.
 */
export const terminateWorker = defineFault({
  name: 'worker/terminate-worker',
  kind: 'instant',
  summary: 'Terminates live workers of a target.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/terminate-worker'),
  async inject(target: WorkerTarget, options, context) {
    const chosen = await chooseWorkers(target, options, context)
    const operation = context.operation('terminate')
    await strikeEach(
      chosen.filter((worker) => operation.shouldInject([worker])),
      async (worker) => {
        const { threadId } = worker
        await waitUntilStrike(worker, options, context)
        const struckAt = context.clock.now()
        const exited = exitOf(worker, context)
        void worker.terminate()
        const [exitCode] = await exited
        context.landed({ threadId, exitCode, tookMs: context.clock.now() - struckAt })
      },
    )
  },
})
