import { ChaosError } from '@chaos/core'
import { MAX_TIMER_MS, onAbort, repeat, type InjectionContext } from '@chaos/core/authoring'
import type { WorkerLike } from '../targets/workers.js'
import { inspectorOf } from './inspector.js'
import { TIMERS } from './timers.js'
import { isUp } from './wait-until-online.js'

/** Time between two looks at a worker that sleeps, in ms. */
const LOOK_EVERY_MS = 250
/** So many looks in a row, each of a round trip between the threads, show that a worker is busy and not just about to sleep. */
const LOOKS_AT_BUSY = 50

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

/**
 * Refuses workers of which not one can run code in its event loop, since each sleeps in `Atomics.wait`. Resolves as soon as
 * one of them turns its loop, is seen busy, or is found not to be up yet.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if each worker sleeps on two looks in a row.
 */
export async function refuseSleepers(workers: readonly WorkerLike[], context: InjectionContext): Promise<void> {
  // An answer of the inspector does not keep this process alive.
  const release = context.clock.after(MAX_TIMER_MS, () => undefined)
  await oneAwake(workers, context).finally(release)
}

function oneAwake(workers: readonly WorkerLike[], context: InjectionContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const asleep = new Set<WorkerLike>()
    const looking = { isOver: false }
    const settle = (): void => {
      looking.isOver = true
      resolve()
    }
    for (const worker of workers) {
      seenAsleep(worker, context, looking).then((isAsleep) => {
        if (!isAsleep) settle()
        else if (asleep.add(worker).size === workers.length) reject(sleeping(worker.threadId))
      }, settle)
    }
  })
}

/** Whether a worker sleeps on two looks in a row, before it turns its loop or is seen busy. */
async function seenAsleep(
  worker: WorkerLike,
  context: InjectionContext,
  looking: { isOver: boolean },
): Promise<boolean> {
  if (!isUp(worker)) return false
  const inspector = inspectorOf(context)
  const turn = { hasCome: false }
  void inspector.evaluate(worker, TURN, { awaitPromise: true }).then(
    () => (turn.hasCome = true),
    () => undefined,
  )
  let timesAsleep = 0
  for (let timesBusy = 0; timesBusy < LOOKS_AT_BUSY && !turn.hasCome && !looking.isOver;) {
    if ((await inspector.evaluate(worker, IS_ASLEEP)) !== true) {
      timesAsleep = 0
      timesBusy += 1
      continue
    }
    timesAsleep += 1
    if (timesAsleep === 2) return true
    await new Promise<void>((resolve) => void context.clock.after(LOOK_EVERY_MS, resolve))
  }
  return false
}

const sleeping = (threadId: number): ChaosError =>
  new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Worker thread ${threadId} sleeps in \`Atomics.wait\`, as an idle thread of piscina or tinypool does, so no code can run in its event loop. Inject while the thread has a task, start piscina with \`atomics: 'disabled'\` or tinypool with \`useAtomics: false\`, or use terminateWorker.`,
  )

/** Resolves in a turn of the event loop. */
const TURN = `new Promise((resolve) => void ${TIMERS}.setImmediate(resolve, true))`

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
