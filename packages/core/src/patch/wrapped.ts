import type { AnyFunction } from './below.js'
import type { Stack } from './record.js'

/** What `shimmer`, and the instrumentations that are written with it, put on a wrapper. */
const MARKS = ['__wrapped', '__original', '__unwrap'] as const

/**
 * Lets an instrumentation be switched off beneath a fault. A layer carries the own keys of the wrapper that it covers, and
 * `shimmer` calls `__unwrap` of whatever it finds on the member. The wrapper's own `__unwrap` does nothing while another
 * function is on the member, and the instrumentation would come back with the end of the fault.
 */
export function passOnUnwrapping(fn: AnyFunction, stack: Stack): void {
  if (wrappedBy(stack.original) === undefined) return
  Object.defineProperty(fn, '__unwrap', { value: () => takeOff(stack), configurable: true, writable: true })
}

/** Takes the wrapper off that lies beneath the layers of a stack. */
function takeOff(stack: Stack): void {
  const inner = wrappedBy(stack.original)
  if (inner === undefined) return
  stack.original = inner
  for (const { fn, below } of stack.layers) {
    below.bottom = inner
    below.reachFor(below.next)
    for (const mark of MARKS) {
      const descriptor = Object.getOwnPropertyDescriptor(inner, mark)
      if (descriptor === undefined) Reflect.deleteProperty(fn, mark)
      else Object.defineProperty(fn, mark, descriptor)
    }
    passOnUnwrapping(fn, stack)
  }
}

/** The function that a wrapper wraps. */
function wrappedBy(fn: AnyFunction | undefined): AnyFunction | undefined {
  if (fn === undefined || !Object.hasOwn(fn, '__unwrap')) return undefined
  const original: unknown = Reflect.get(fn, '__original')
  return typeof original === 'function' ? original : undefined
}
