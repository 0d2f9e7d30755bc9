import { systemClock } from '@chaos/core/authoring'

/** Says that work did not end in time. */
export class TimeOut extends Error {
  constructor(ms: number) {
    super(`No answer within ${ms} ms.`)
  }
}

/**
 * Waits for work, at most for a time. Late results and late failures are dropped.
 *
 * @param ref Whether the wait keeps the process alive, though a connection may not. A controller must not end in the middle of
 *   a call; an application that is done must not wait for a server that hangs.
 * @throws TimeOut
 */
export function within<T>(ms: number, work: Promise<T>, ref: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = systemClock.after(ms, () => reject(new TimeOut(ms)), { ref })
    work.then(resolve, reject).finally(cancel)
  })
}
