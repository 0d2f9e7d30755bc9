import { types } from 'node:util'
import { attempt } from './answers.js'

type Callback = (error: unknown, ...values: readonly unknown[]) => unknown

/** The callback that a caller gave as its last argument: a function of an error and a result. Others are taken for functions that the method works with. */
export function callbackIn(args: readonly unknown[]): Callback | undefined {
  const last = args.at(-1)
  try {
    return typeof last === 'function' && last.length >= 2 && !types.isAsyncFunction(last)
      ? (last as Callback)
      : undefined
  } catch {
    // The parameters of a proxy that was revoked cannot be counted.
    return undefined
  }
}

/** Calls a method that takes a callback. @returns What it calls back with. Values behind the first go into `more`. */
export function calledBack(call: (callback: Callback) => unknown, more: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, value, ...others) => {
      more.splice(0, more.length, ...others)
      if (error === null || error === undefined) resolve(value)
      // Whatever the method's own callback was given is what its caller gets.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it need not be an Error
      else reject(error)
    }
    attempt(() => call(callback)).catch(reject)
  })
}

/** Tells a caller by its callback, outside of every promise: what it throws is the application's own. */
export function tellBack(answer: Promise<unknown>, callback: Callback, more: readonly unknown[]): void {
  answer.then(
    (value) => process.nextTick(callback, null, value, ...more),
    (error: unknown) => process.nextTick(callback, error),
  )
}
