import type { Clock } from '@chaos/core'

/** The signals by which a process is asked to end. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const
type Signal = (typeof SIGNALS)[number]

/** The longest wait for the undo before the process ends by the signal, in ms. */
const PATIENCE_MS = 2_000
/** Marks the listeners of every copy of this package. */
const OURS = Symbol.for('@chaos/fleet.termination')

const isOurs = (listener: object): boolean => OURS in listener

/**
 * Runs work when the process receives SIGTERM or SIGINT, before the handlers of the application, and only once.
 *
 * A listener takes Node's own reaction to the signal away, which is to end the process. Where no handler is the
 * application's, the process is therefore ended by the same signal after the work, after 2 s, or at a second signal. Where there
 * is one, it decides, as it does without us. In a worker thread, which gets no signals, nothing happens.
 *
 * @param work Its synchronous part is done before any other handler runs.
 * @returns Stops listening.
 */
export function onTermination(clock: Clock, work: () => Promise<unknown>): () => void {
  let isEnding = false
  const heard = (signal: Signal): void => {
    const isAlone = process.listeners(signal).every(isOurs)
    if (isEnding) {
      stop()
      // Others that listen by now get this signal too.
      if (isAlone) endBy(signal)
      return
    }
    isEnding = true
    const undone = within(clock, work())
    // From now on only the handlers of the application count, also for those that look for others who listen.
    if (!isAlone) stop()
    else
      void undone.then(() => {
        if (isStopped) return
        stop()
        endBy(signal)
      })
  }
  const stops = SIGNALS.map((signal) => listenFirst(signal, () => heard(signal)))
  let isStopped = false
  function stop(): void {
    isStopped = true
    for (const stopListening of stops) stopListening()
  }
  return stop
}

/** Ends the process as the signal does, or tells a handler that was added meanwhile. With several of ours, the last one does. */
function endBy(signal: Signal): void {
  if (!process.listeners(signal).some(isOurs)) process.kill(process.pid, signal)
}

/** Listens before everybody else. @returns Stops listening. */
function listenFirst(signal: Signal, heard: () => void): () => void {
  const listener = Object.assign(() => heard(), { [OURS]: true } as const)
  // Whoever prepends a handler later comes before us; so we go to the front again, once it is in the list.
  const stayFirst = (event: string | symbol, added: object): void => {
    if (event !== signal || isOurs(added)) return
    queueMicrotask(() => {
      if (!process.listeners(signal).includes(listener)) return
      process.off(signal, listener)
      process.prependListener(signal, listener)
    })
  }
  process.prependListener(signal, listener)
  process.on('newListener', stayFirst)
  return () => {
    process.off('newListener', stayFirst)
    process.off(signal, listener)
  }
}

/** Resolves when work has settled, or after a while. The timer keeps the process alive, which would else end without its signal. */
function within(clock: Clock, pending: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(PATIENCE_MS, resolve)
    const settled = (): void => {
      cancel()
      resolve()
    }
    pending.then(settled, settled)
  })
}
