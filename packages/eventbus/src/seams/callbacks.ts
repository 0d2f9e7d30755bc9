/** What a client calls when a command has ended. */
export type Callback = (error?: Error | null, result?: unknown) => unknown

const isCallback = (value: unknown): value is Callback => typeof value === 'function'

/** Arguments whose callback is called once, though the message may go on more than once, or be lost: its sender hears of the first end. */
export const callingOnce = (args: readonly unknown[]): unknown[] =>
  args.map((arg) => (isCallback(arg) ? calledOnce(arg) : arg))

/** Calls the callback among the arguments, if there is one, as a client does whose message has gone out. @param told What it is called with, an error for example. Default: nothing. */
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
