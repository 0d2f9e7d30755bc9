import { isMainThread } from 'node:worker_threads'
import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { openStartupGate } from '../threads/startup-gate.js'
import { interceptStarts, isWorkerThreads, WORKER_THREADS, type WorkerThreads } from '../threads/starts.js'

const options = {
  delayMs: option.optional(
    option.durationMs(
      'How long a new worker takes before its code runs, in ms. Default: until the fault ends, it never becomes ready.',
    ),
  ),
}

/** Options of {@link delayStart}. */
export type DelayStartOptions = OptionsOf<typeof delayStart>

/**
 * Makes new workers slow to start, or never ready.
 *
 * Models a machine under load, a huge module graph, a worker that hangs while it connects. The thread is there and has an id, but none of
 * its code has run: no `online`, no message; what is posted to it waits. When the fault ends it starts. An operation is a `new Worker`,
 * named `start`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` inside a worker: workers can be held from the main thread only
 */
export const delayStart = defineFault({
  name: 'worker/delay-start',
  kind: 'standing',
  summary: 'Makes new workers slow to start, or never ready.',
  options,
  target: { expects: WORKER_THREADS, accepts: isWorkerThreads },
  inject(workerThreads: WorkerThreads, { delayMs = Number.POSITIVE_INFINITY }, context) {
    if (!isMainThread)
      throw new ChaosError(
        'CHAOS_TARGET_MISMATCH',
        'Expected the main thread, got a worker: new workers can be held from the main thread only.',
      )
    const gate = openStartupGate()
    context.defer(gate.close)
    const operation = context.operation('start')
    interceptStarts(workerThreads, context, (args, construct) => {
      const isChosen = operation.shouldInject(args)
      const worker = construct(args)
      const letGo = gate.admit(worker, isChosen)
      if (isChosen) context.hold({ afterMs: delayMs, run: letGo })
      return worker
    })
  },
})
