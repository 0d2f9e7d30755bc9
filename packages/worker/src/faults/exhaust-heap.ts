import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from '../targets/workers.js'

const options = {
  maxHeapMb: option.optional(option.count('Largest heap limit that a worker may have, in MB.', 1), 512),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link exhaustHeap}. */
export type ExhaustHeapOptions = OptionsOf<typeof exhaustHeap>

/**
 * Fills the heap of live workers up to their own limit, `resourceLimits.maxOldGenerationSizeMb`.
 *
 * Models a memory leak. V8 ends the worker: the `Worker` emits the real `ERR_WORKER_OUT_OF_MEMORY`, then `exit` with code 1.
 * The process and its other threads keep running. The fault is instant, since the worker ends. A worker without its own
 * limit has the default of the process, which is several GB. Filling it could take down the machine, so the fault is
 * refused. An operation is one chosen worker, named `exhaust`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if a live worker has no limit, or one above `maxHeapMb`.
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no live worker matches.
 * @throws ChaosError `CHAOS_INJECTION_ENDED` if the worker did not yield within the lease.
 */
export const exhaustHeap = defineFault({
  name: 'worker/exhaust-heap',
  kind: 'instant',
  summary: 'Fills the heap of live workers up to their own limit, until V8 ends them.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/exhaust-heap'),
  inject(target: WorkerTarget, options, context) {
    for (const worker of liveWorkers(target)) assertLimited(worker, options.maxHeapMb)
    return runInWorkers({ operation: 'exhaust', fault: 'worker/exhaust-heap', code: FILL }, target, options, context)
  },
})

/** Allocates 1 MB at a time as arrays of numbers. Buffers would not count: their memory is outside the V8 heap. */
const FILL = 'for (const heap = []; ; ) heap.push(new Array(131_072).fill(0.5))'

function assertLimited(
  worker: WorkerLike & { readonly resourceLimits?: { readonly maxOldGenerationSizeMb?: number } },
  maxHeapMb: number,
): void {
  const limit = worker.resourceLimits?.maxOldGenerationSizeMb
  if (limit !== undefined && limit <= maxHeapMb) return
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected \`resourceLimits.maxOldGenerationSizeMb\` of worker thread ${worker.threadId} to be at most ${maxHeapMb} (\`maxHeapMb\`), got ${limit === undefined ? 'no limit' : `\`${limit}\``}. Start the worker with such a limit, or raise \`maxHeapMb\`.`,
  )
}
