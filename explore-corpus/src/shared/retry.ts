import type { Time } from './time.js'

/**
 * Tries work until it succeeds.
 *
 * @param tries How often at most. The last error is thrown.
 * @param isFinal Whether another try cannot help.
 */
export async function retry<Result>(
  tries: number,
  work: (number: number) => Promise<Result>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<Result> {
  for (let number = 1; ; number += 1) {
    try {
      return await work(number)
    } catch (error) {
      if (number >= tries || isFinal(error)) throw error
    }
  }
}

/** The error of work that took too long. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Gives up on work that takes too long.
 *
 * @param work Gets a signal that aborts when the time is over.
 */
export async function withTimeout<Result>(
  time: Time,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const late = time.sleep(timeoutMs).then((): never => {
    const error = new TimeoutError(`No answer within ${timeoutMs} ms`)
    controller.abort(error)
    throw error
  })
  late.catch(() => undefined)
  return Promise.race([work(controller.signal), late])
}
