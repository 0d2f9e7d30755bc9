import { ChaosError } from '@chaos/core'
import { onAbort, repeat, type InjectionContext } from '@chaos/core/authoring'
import type { WorkerLike } from '../targets/workers.js'
import { inspectorOf } from './inspector.js'

/** Time between two looks at a worker, in ms. */
const LOOK_EVERY_MS = 250

/**
 * Watches a worker that is to end in a turn of its event loop. The turn does not come while the worker sleeps in
 * `Atomics.wait`, as an idle thread of piscina or tinypool does until its next task. Never resolves.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the worker sleeps on two looks in a row, the signal's reason if the injection ends.
 */
export function refuseSleeper(worker: WorkerLike, context: InjectionContext): Promise<never> {
  const { threadId } = worker
  const inspector = inspectorOf(context)
  return new Promise((_resolve, reject) => {
    onAbort(context.signal, () => reject(context.signal.reason as Error))
    let sleptBefore = false
    repeat(context, LOOK_EVERY_MS, () => {
      if (worker.threadId === -1) return
      inspector.evaluate(worker, IS_ASLEEP).then(
        (isAsleep) => {
          if (isAsleep === true && sleptBefore) reject(sleeping(threadId))
          sleptBefore = isAsleep === true
        },
        // A worker that exits meanwhile gives no answer.
        () => undefined,
      )
    })
  })
}

const sleeping = (threadId: number): ChaosError =>
  new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Worker thread ${threadId} sleeps in \`Atomics.wait\`, as an idle thread of piscina or tinypool does, so no code can run in its event loop. Inject while the thread has a task, start piscina with \`atomics: 'disabled'\` or tinypool with \`useAtomics: false\`, or use terminateWorker.`,
  )

/** The inspector interrupts `Atomics.wait`, which is then the frame below the evaluated code. */
const IS_ASLEEP = `(() => {
  const { prepareStackTrace, stackTraceLimit } = Error
  Error.prepareStackTrace = undefined
  Error.stackTraceLimit = 3
  const { stack } = new Error()
  Error.prepareStackTrace = prepareStackTrace
  Error.stackTraceLimit = stackTraceLimit
  return / at Atomics\\.wait /.test(stack)
})()`
