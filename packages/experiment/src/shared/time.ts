import { type Clock } from '@chaos/core'
import { onAbort } from '@chaos/core/authoring'

/** Waits for `ms`, or until the signal aborts, whichever is first. Never rejects. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const finish = (): void => {
      cancel()
      ignoreSignal?.()
      resolve()
    }
    const cancel = clock.after(ms, finish)
    const ignoreSignal = signal === undefined ? undefined : onAbort(signal, finish)
  })
}

/** Resolves when a signal aborts, or at once if it has already aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else onAbort(signal, resolve)
  })
}

/**
 * Runs work with a time limit. The work's signal aborts when the time is up or the caller's signal aborts.
 *
 * @throws Error `no answer within … ms` when the time is up, or `the run is over` when the caller's signal aborts
 */
export function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const abort = new AbortController()
  return new Promise<T>((resolve, reject) => {
    let ignoreOuter = (): void => undefined
    const leave = (): void => {
      cancel()
      ignoreOuter()
    }
    const giveUp = (reason: Error): void => {
      leave()
      abort.abort(reason)
      reject(reason)
    }
    const onOuter = (): void => giveUp(new Error('the run is over'))
    const cancel = clock.after(timeoutMs, () => giveUp(new Error(`no answer within ${timeoutMs} ms`)))
    if (outer?.aborted === true) {
      onOuter()
      return
    }
    if (outer !== undefined) ignoreOuter = onAbort(outer, onOuter)
    Promise.resolve()
      .then(() => work(abort.signal))
      .then(resolve, reject)
      .finally(leave)
  })
}

/** Repeats work with a pause after each repetition until the signal aborts. */
export async function repeat(
  clock: Clock,
  pauseMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work()
    await pause(clock, pauseMs, signal)
  }
}
