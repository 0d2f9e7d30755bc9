import { types } from 'node:util'
import { attempt } from './answers.js'

type Callback = (error: unknown, ...values: readonly unknown[]) => unknown

/**
 * Returns the callback that a caller passed as the last argument: a function of at least two parameters that is not
 * `async`. Other functions are treated as data of the method.
 */
export function callbackIn(args: readonly unknown[]): Callback | undefined {
  const last = args.at(-1)
  try {
    return typeof last === 'function' && last.length >= 2 && !types.isAsyncFunction(last)
      ? (last as Callback)
      : undefined
  } catch {
    // Reading `length` of a revoked proxy throws.
    return undefined
  }
}

/**
 * Calls a method that takes a callback.
 *
 * @param more Receives the values after the first.
 * @returns The first value of the callback.
 */
export function calledBack(call: (callback: Callback) => unknown, more: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, value, ...others) => {
      more.splice(0, more.length, ...others)
      if (error === null || error === undefined) resolve(value)
      // The caller gets exactly the error that the method passed to its callback.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it need not be an Error
      else reject(error)
    }
    attempt(() => call(callback)).catch(reject)
  })
}

/**
 * Calls the callback of a caller outside of every promise, so that an error it throws is an uncaught exception of the
 * application.
 */
export function tellBack(answer: Promise<unknown>, callback: Callback, more: readonly unknown[]): void {
  answer.then(
    (value) => process.nextTick(callback, null, value, ...more),
    (error: unknown) => process.nextTick(callback, error),
  )
}
