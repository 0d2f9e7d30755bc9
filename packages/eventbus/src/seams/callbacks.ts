/** A callback that a client calls when a command has ended. */
export type Callback = (error?: Error | null, result?: unknown) => unknown

/** Whether a value is a callback. */
export const isCallback = (value: unknown): value is Callback => typeof value === 'function'

/** Wraps callbacks to run once, even if the message is duplicated or dropped. */
export const callingOnce = <Args extends readonly unknown[]>(args: Args): Args =>
  args.map((arg) => (isCallback(arg) ? calledOnce(arg) : arg)) as readonly unknown[] as Args

/**
 * Calls the callback among the arguments on the next tick, as a client does after sending. Does nothing without a callback.
 *
 * @param told The arguments of the callback, an error for example. Default: none.
 */
export function callBack(args: readonly unknown[], ...told: readonly [error?: Error | null]): void {
  const callback = args.find(isCallback)
  if (callback !== undefined) process.nextTick(callback, ...told)
}

function calledOnce(callback: Callback): Callback {
  let isCalled = false
  return (error, result) => {
    if (isCalled) return undefined
    isCalled = true
    return callback(error, result)
  }
}
