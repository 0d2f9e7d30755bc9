import { reportUncaught } from './report-uncaught.js'

/** What waits for one signal, in the order in which it came. */
interface Waiting {
  readonly works: Set<{ readonly work: () => void }>
  readonly listener: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

/**
 * Runs `work` once when a signal aborts; not for one that has aborted already.
 *
 * However many wait for one signal, it has a single listener of ours, and none once nobody waits any more: Node.js warns of a leak when a signal
 * has more than ten. What one of them throws ends as an uncaught exception, after the others have run.
 *
 * @returns Stops waiting; harmless afterwards.
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
      // A signal of somebody else's making: who ends something must not hear of it, and the listener has nothing left to do.
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
