import { MAX_TIMER_MS, onAbort, type InjectionContext } from '@chaos/core/authoring'

/** The members with which an exit is heard. */
export interface Exiting<Details extends unknown[]> {
  once(event: 'exit', listener: (...details: Details) => void): unknown
  off(event: 'exit', listener: (...details: Details) => void): unknown
  prependOnceListener?(event: 'exit', listener: (...details: Details) => void): unknown
}

/**
 * Waits for the `exit` event of a worker or process, before its other listeners hear of it: one that throws, such as that of
 * tinypool, would keep the event from us. Keeps this process alive meanwhile. Rejects when the signal aborts. Leaves no
 * listener behind.
 */
export function exitOf<Details extends unknown[]>(
  one: Exiting<Details>,
  { clock, signal }: Pick<InjectionContext, 'clock' | 'signal'>,
): Promise<Details> {
  return new Promise((resolve, reject) => {
    const release = clock.after(MAX_TIMER_MS, () => undefined)
    const onExit = (...details: Details): void => {
      release()
      ignoreSignal()
      resolve(details)
    }
    if (one.prependOnceListener === undefined) one.once('exit', onExit)
    else one.prependOnceListener('exit', onExit)
    const ignoreSignal = onAbort(signal, () => {
      release()
      one.off('exit', onExit)
      reject(signal.reason as Error)
    })
  })
}
