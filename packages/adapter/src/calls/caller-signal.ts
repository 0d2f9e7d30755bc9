/** The caller's own signal: an argument that is one, or that carries one as `signal` (an options object, a `Request`). */
export function signalIn(args: readonly unknown[]): AbortSignal | undefined {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue
    if (isSignal(arg)) return arg
    if ('signal' in arg && typeof arg.signal === 'object' && arg.signal !== null && isSignal(arg.signal)) return arg.signal
  }
  return undefined
}

function isSignal(value: object): value is AbortSignal {
  return 'aborted' in value && 'addEventListener' in value && typeof value.addEventListener === 'function'
}
