import { isMainThread } from 'node:worker_threads'
import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { openStartupGate } from '../threads/startup-gate.js'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../threads/starts.js'

const options = {
  delayMs: option.optional(
    option.durationMs('Time before the code of a new worker runs, in ms. Default: until the fault ends.'),
  ),
}

/** Options of {@link delayStart}. */
export type DelayStartOptions = OptionsOf<typeof delayStart>

/**
 * Delays the start of new workers, for a time or until the fault ends.
 *
 * Models a machine under load, a huge module graph, or a worker that hangs while it connects. The thread exists and has an
 * id, but none of its code runs: it emits no `online` and no message, and messages to it wait. When the fault ends, the
 * worker starts. An operation is one `new Worker`, named `start`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` inside a worker: only the main thread can hold new workers.
 */
export const delayStart = defineFault({
  name: 'worker/delay-start',
  kind: 'standing',
  summary: 'Delays the start of new workers, for a time or until the fault ends.',
  options,
  target: { expects: WORKER_THREADS, accepts: isWorkerThreads },
  inject(workerThreads: WorkerThreads, { delayMs = Number.POSITIVE_INFINITY }, context) {
    if (!isMainThread)
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        'worker/delay-start cannot hold workers from inside a worker thread. Inject it in the main thread.',
      )
    const gate = openStartupGate()
    context.defer(gate.close)
    const operation = context.operation('start')
    interceptStarts(workerThreads, context, (args, construct) => {
      const isChosen = operation.shouldInject(args)
      const worker = construct(args)
      const release = gate.admit(worker, isChosen)
      if (isChosen) context.hold({ afterMs: delayMs, run: release })
      return worker
    })
  },
})
