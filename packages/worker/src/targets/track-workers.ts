import type { Worker } from 'node:worker_threads'
import { ChaosError } from '@chaos/core'
import { synchronousAnswer } from '@chaos/core/authoring'

/** Options of {@link trackWorkers}. */
export interface TrackWorkersOptions {
  /** Which workers are meant; one on which it throws is not. Default: all that this thread makes. */
  readonly where?: (worker: Worker) => boolean
}

/** A target: a function that returns the workers that live now. */
export interface TrackedWorkers {
  (): readonly Worker[]
  /** Stops meeting new ones. Those it knows stay known as long as they live. */
  close(): void
}

/**
 * Keeps the workers that this thread makes from now on, as Node.js tells of them (`process`, event `worker`): a target for pools that show
 * their threads to nobody, such as workerpool. Call it before the pool is made. Replacements are found.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `where` is no function
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
      // It must not throw where the application makes its worker.
      return false
    }
  }
  const meet = (worker: Worker): void => {
    if (isMeant(worker)) known.add(worker)
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

/** Who is to meet a new worker. The process has one listener for all of them: a module that is evaluated again tracks again, and nobody closes the earlier one. */
const meeting = new Set<(worker: Worker) => void>()

function onWorker(worker: Worker): void {
  for (const meet of meeting) meet(worker)
}
