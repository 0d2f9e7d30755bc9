import { isNativeError } from 'node:util/types'

const known = new WeakMap<object, boolean>()

/**
 * Whether a copy of an object's members works like the object. It does not for an instance of a built-in class such as Map,
 * whose state is no member, nor for one of a class with #private members.
 */
export function isCopyable(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype || Array.isArray(prototype)) return true
  let isSafe = known.get(prototype)
  if (isSafe === undefined) known.set(prototype, (isSafe = hasMembersOnly(prototype, isNativeError(value))))
  return isSafe
}

/**
 * What the source of a class shows: a built-in or bound one has none, and a #name is private, also as TypeScript and esbuild
 * write it for older engines.
 */
const OPAQUE = /\{\s*\[native code\]\s*\}\s*$|(?<=[\s{};*])#[\p{ID_Start}$_]|__classPrivateField|__privateAdd/u

function hasMembersOnly(start: object, isError: boolean): boolean {
  let prototype = start
  for (;;) {
    const next = Object.getPrototypeOf(prototype) as object | null
    // The members of an Error are all that it shows, and the root of a realm adds no state.
    if (next === null || Array.isArray(prototype)) return true
    const made: unknown = Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value
    if (typeof made === 'function') {
      const source = Function.prototype.toString.call(made)
      if (OPAQUE.test(source) && !(isError && source.includes('[native code]'))) return false
    }
    prototype = next
  }
}
