import { reportUncaught } from './report-uncaught.js'

/** The callbacks of one signal, in order of arrival. */
interface Waiting {
  readonly works: Set<{ readonly work: () => void }>
  readonly listener: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

/**
 * Runs `work` once when a signal aborts. Does nothing for a signal that has already aborted.
 *
 * All callbacks of a signal share one listener, removed with the last of them: Node.js warns of a leak when a signal has
 * more than ten listeners. An error that a callback throws ends as an uncaught exception, after the other callbacks have run.
 *
 * @returns A function that stops waiting. It does nothing when called again or after the abort.
 */
export function onAbort(signal: AbortSignal, work: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? listenTo(signal)
  const one = { work }
  waiting.works.add(one)
  return () => {
    if (!waiting.works.delete(one) || waiting.works.size > 0) return
    if (waitingFor.get(signal) === waiting) waitingFor.delete(signal)
    try {
      signal.removeEventListener('abort', waiting.listener)
    } catch {
      // A custom signal may throw here. The error must not reach the caller, and the listener has nothing left to run.
    }
  }
}

function listenTo(signal: AbortSignal): Waiting {
  const works: Waiting['works'] = new Set()
  const listener = (): void => {
    waitingFor.delete(signal)
    for (const one of works) {
      works.delete(one)
      try {
        one.work()
      } catch (error) {
        reportUncaught(error)
      }
    }
  }
  const waiting = { works, listener }
  signal.addEventListener('abort', listener, { once: true })
  waitingFor.set(signal, waiting)
  return waiting
}
