import { onAbort } from '@chaos/core/authoring'

interface Exiting<Details extends unknown[]> {
  once(event: 'exit', listener: (...details: Details) => void): unknown
  off(event: 'exit', listener: (...details: Details) => void): unknown
}

/** Waits for the `exit` event of a worker or process. Rejects when the signal aborts. Leaves no listener behind. */
export function exitOf<Details extends unknown[]>(one: Exiting<Details>, signal: AbortSignal): Promise<Details> {
  return new Promise((resolve, reject) => {
    const onExit = (...details: Details): void => {
      ignoreSignal()
      resolve(details)
    }
    one.once('exit', onExit)
    const ignoreSignal = onAbort(signal, () => {
      one.off('exit', onExit)
      reject(signal.reason as Error)
    })
  })
}
