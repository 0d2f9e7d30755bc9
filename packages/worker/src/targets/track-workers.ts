import type { Worker } from 'node:worker_threads'
import { ChaosError } from '@chaos/core'
import { isExempt, synchronousAnswer } from '@chaos/core/authoring'

/** Options of {@link trackWorkers}. */
export interface TrackWorkersOptions {
  /**
   * Chooses the workers to track. A worker on which it throws is not tracked. Default: every worker that this thread creates.
   * Those of Chaos Harness itself, such as the one of a proxy, are never tracked.
   */
  readonly where?: (worker: Worker) => boolean
}

/** A target: a function that returns the tracked workers that are alive. */
export interface TrackedWorkers {
  (): readonly Worker[]
  /** Stops tracking new workers. Known workers stay in the list while they live. */
  close(): void
}

/**
 * Tracks the workers that this thread creates from now on, including replacements. Use it as the target for a pool that does
 * not expose its threads, such as workerpool. Call it before the pool is created. It listens to the event `worker` of `process`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `where` is not a function.
 */
export function trackWorkers({ where = () => true }: TrackWorkersOptions = {}): TrackedWorkers {
  if (typeof where !== 'function')
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`where\` of trackWorkers to be a function, got \`${typeof where}\`.`,
    )
  const known = new Set<Worker>()
  const living = (): readonly Worker[] => {
    for (const worker of known) if (worker.threadId === -1) known.delete(worker)
    return [...known]
  }
  const isMeant = (worker: Worker): boolean => {
    try {
      return synchronousAnswer(where(worker))
    } catch {
      // An error must not reach the application's `new Worker`.
      return false
    }
  }
  const meet = (worker: Worker): void => {
    if (!isExempt(worker) && isMeant(worker)) known.add(worker)
    living()
  }
  if (meeting.size === 0) process.on('worker', onWorker)
  meeting.add(meet)
  return Object.assign(
    function trackedWorkers() {
      return living()
    },
    {
      close() {
        if (meeting.delete(meet) && meeting.size === 0) process.off('worker', onWorker)
      },
    },
  )
}

/**
 * The trackers of new workers. They share one listener on the process: a module that is evaluated again starts another
 * tracker and never closes the first.
 */
const meeting = new Set<(worker: Worker) => void>()

function onWorker(worker: Worker): void {
  for (const meet of meeting) meet(worker)
}
