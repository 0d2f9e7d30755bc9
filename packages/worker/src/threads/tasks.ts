import workerThreads from 'node:worker_threads'
import type { Held, Seam } from '@chaos/core/authoring'
import { liveWorkers, strangerIn, type WorkerLike, type WorkerTarget } from '../targets/workers.js'
import { noWorker } from './selection.js'

/** A task on its way to a thread: a message that is posted to it. */
export interface Task {
  readonly worker: WorkerLike
  /** The arguments of `postMessage`. */
  readonly args: readonly unknown[]
  /** Hands the task over. */
  readonly proceed: () => unknown
  /** Hands the task over. Its answer goes to nobody: `onAnswer` is called in its place. Until then the task counts as held. */
  readonly proceedAndTake: (onAnswer: () => void) => unknown
}

/** A task that is not answered. */
interface Open {
  /** Takes the answer, unless the injection has ended. */
  take?: { readonly onAnswer: () => void; readonly held: Held } | undefined
}

/**
 * The tasks of the threads of a target, those of threads that start later included: each message that is posted to one of them. A
 * message of the thread answers the oldest task that is open.
 *
 * A thread counts from the moment at which the target has it: `trackWorkers()` meets a thread one tick after it was made.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the target has objects in which no worker is found.
 */
export const taskSeam: Seam<WorkerTarget, Task> = (target, context, act) => {
  if (liveWorkers(target).length === 0) {
    const mismatch = noWorker(strangerIn(target))
    if (mismatch !== undefined) throw mismatch
  }
  const met = new WeakMap<object, Open[]>()
  const openOf = (worker: WorkerLike): Open[] | undefined => {
    const known = met.get(worker)
    if (known !== undefined || !liveWorkers(target).includes(worker)) return known
    const open: Open[] = []
    met.set(worker, open)
    return open
  }
  // Patches on the class of all threads: a thread that starts later may get a task at once.
  const { prototype } = workerThreads.Worker
  context.patch(
    prototype,
    'postMessage',
    (below) =>
      function postMessage(this: WorkerLike, ...args: unknown[]): unknown {
        const open = openOf(this)
        const post = (): unknown => Reflect.apply(below.call, this, args)
        if (open === undefined) return post()
        return act({
          worker: this,
          args,
          proceed() {
            const posted = post()
            open.push({})
            return posted
          },
          proceedAndTake(onAnswer) {
            const posted = post()
            const task: Open = {}
            // If the injection ends first, the answer is left alone.
            const held = context.hold({ afterMs: Number.POSITIVE_INFINITY, run: () => void (task.take = undefined) })
            task.take = { onAnswer, held }
            open.push(task)
            return posted
          },
        })
      },
  )
  context.patch(
    prototype,
    'emit',
    (below) =>
      function emit(this: WorkerLike, ...args: unknown[]): unknown {
        const [event] = args
        const open = event === 'message' || event === 'exit' ? met.get(this) : undefined
        if (event === 'exit') for (const { take } of open?.splice(0) ?? []) take?.held.drop()
        const { take } = open?.shift() ?? {}
        if (take === undefined) return Reflect.apply(below.call, this, args)
        take.onAnswer()
        take.held.drop()
        return true
      },
  )
}
