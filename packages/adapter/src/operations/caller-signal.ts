/** Returns the caller's `AbortSignal`: an argument, or the `signal` of an argument (an options object, a `Request`). */
export function signalIn(args: readonly unknown[]): AbortSignal | undefined {
  for (const arg of args) {
    const signal = signalOf(arg)
    if (signal !== undefined) return signal
  }
  return undefined
}

function signalOf(arg: unknown): AbortSignal | undefined {
  try {
    if (typeof arg !== 'object' || arg === null) return undefined
    if (isSignal(arg)) return arg
    return 'signal' in arg && typeof arg.signal === 'object' && arg.signal !== null && isSignal(arg.signal)
      ? arg.signal
      : undefined
  } catch {
    // Reading an argument may throw, and the call must not fail by that.
    return undefined
  }
}

function isSignal(value: object): value is AbortSignal {
  return (
    'aborted' in value &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function' &&
    'removeEventListener' in value &&
    typeof value.removeEventListener === 'function'
  )
}
