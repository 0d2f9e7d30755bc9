import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { taskSeam } from '../threads/tasks.js'
import { isPool, isWorkerTarget, type WorkerTarget } from '../targets/workers.js'

const options = {
  when: option.optional(
    option.oneOf(
      ['start', 'answer'],
      'When the thread dies: before it begins the task (start), or after it has done the task and before its answer arrives (answer).',
    ),
    'start',
  ),
}

/** Options of {@link killMidTask}. */
export type KillMidTaskOptions = OptionsOf<typeof killMidTask>

/**
 * Terminates a thread that has a task, each time that a task is handed to a thread of the target.
 *
 * Models a thread that dies with its work: out of memory, a crash of native code, a `process.exit` in a library. A task is a message
 * that is posted to a thread (`worker.postMessage`); the next message of the thread is its answer. The application hears `exit`, with
 * code 1, and no `error`. It must not wait for the answer, lose the task or, where its effect is made, do it twice.
 *
 * An operation is one task, named `task`. New threads are found through a function, such as `trackWorkers()`. Tasks that a pool hands
 * over by ports of its own are not seen: piscina and tinypool do that.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an unknown `when`, `CHAOS_TARGET_MISMATCH` for a target without threads, or a pool that
 *   hands its tasks over by ports of its own.
 */
export const killMidTask = defineFault({
  name: 'worker/kill-mid-task',
  kind: 'standing',
  summary: 'Terminates a thread of a target when it gets a task, or before its answer arrives.',
  options,
  target: {
    expects: 'one or several Workers, or a function that returns the current ones, such as `trackWorkers()`',
    accepts: (value: unknown): boolean => isWorkerTarget(value) && !isPool(value),
  },
  inject(target: WorkerTarget, { when }, context) {
    const operation = context.operation('task')
    taskSeam(target, context, ({ worker, args, proceed, proceedAndTake }) => {
      if (!operation.shouldInject(args)) return proceed()
      const kill = (): void => {
        const { threadId } = worker
        context.landed({ threadId, when })
        void worker.terminate()
      }
      if (when === 'answer') return proceedAndTake(kill)
      // A thread that is told to end begins nothing. The message is posted all the same: one that cannot be cloned throws as in health.
      kill()
      return proceed()
    })
  },
})
