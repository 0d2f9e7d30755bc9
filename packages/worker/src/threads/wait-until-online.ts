import { onAbort } from '@chaos/core/authoring'
import type { WorkerLike } from '../targets/workers.js'

/** What Node.js tells of a worker from outside; absent on other shapes. */
export interface MeasuredWorker extends WorkerLike {
  readonly performance?: {
    eventLoopUtilization(before?: object): {
      readonly idle: number
      readonly active: number
      readonly utilization: number
    }
  }
}

/** Whether a worker runs its event loop: one that is still being set up has used none of it. */
export function isUp({ performance }: MeasuredWorker): boolean {
  if (performance === undefined) return true
  const { idle, active } = performance.eventLoopUtilization()
  return idle + active > 0
}

/**
 * Waits until a worker is up, but not beyond its exit or the end of the injection. Code that is evaluated in a worker earlier is lost, and on
 * Node.js 18 a promise that it rejects takes the whole process along.
 *
 * @returns Whether it is up.
 */
export function waitUntilOnline(worker: WorkerLike, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (isUp(worker) || signal.aborted) {
      resolve(isUp(worker))
      return
    }
    const settle = (): void => {
      worker.off('online', settle)
      worker.off('exit', settle)
      ignoreSignal()
      resolve(isUp(worker))
    }
    worker.once('online', settle)
    worker.once('exit', settle)
    const ignoreSignal = onAbort(signal, settle)
  })
}
