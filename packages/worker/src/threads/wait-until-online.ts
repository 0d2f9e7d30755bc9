import { onAbort } from '@chaos/core/authoring'
import type { WorkerLike } from '../targets/workers.js'

/** A worker with the measurements that Node.js provides. Other worker-like objects lack them. */
export interface MeasuredWorker extends WorkerLike {
  readonly performance?: {
    eventLoopUtilization(before?: object): {
      readonly idle: number
      readonly active: number
      readonly utilization: number
    }
  }
}

/** Whether a worker's event loop runs. A worker that is still being set up has no event-loop time yet. */
export function isUp({ performance }: MeasuredWorker): boolean {
  if (performance === undefined) return true
  const { idle, active } = performance.eventLoopUtilization()
  return idle + active > 0
}

/**
 * Waits until a worker is online, at most until it exits or the injection ends. Code evaluated before that is lost, and on
 * Node.js 18 a promise that it rejects crashes the whole process.
 *
 * @returns Whether the worker is online.
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
