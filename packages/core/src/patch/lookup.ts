import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import type { AnyFunction } from './below.js'

/** Where the function of a member is: it is the value, or the getter of an accessor. */
export type Slot = 'value' | 'get'

export function ownFunction(object: object, key: PropertyKey, slot: Slot): AnyFunction {
  const descriptor = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor
  const value = functionOf(descriptor, key, slot)
  if (descriptor.configurable !== true && descriptor.writable !== true) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected \`${printable(key)}\` to be replaceable, got a member that is neither writable nor configurable. Inject into the object before it is frozen, or into its class.`,
    )
  }
  return value
}

export function inheritedFunction(
  object: object,
  splice: object | undefined,
  key: PropertyKey,
  slot: Slot,
): AnyFunction {
  if (splice === undefined && !Object.isExtensible(object)) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected an object whose inherited \`${printable(key)}\` can be covered, got one that is sealed, frozen or not extensible. Inject into its class's prototype instead.`,
    )
  }
  return functionOf(findDescriptor(Object.getPrototypeOf(splice ?? object) as object | null, key), key, slot)
}

function functionOf(descriptor: PropertyDescriptor | undefined, key: PropertyKey, slot: Slot): AnyFunction {
  const value = heldIn(descriptor, slot)
  if (typeof value === 'function') return value
  const found =
    descriptor === undefined
      ? 'nothing'
      : 'value' in descriptor
        ? typeof descriptor.value
        : heldIn(descriptor, 'get') === undefined
          ? 'an accessor without a getter'
          : 'an accessor'
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected \`${printable(key)}\` to be ${slot === 'get' ? 'an accessor with a getter' : 'a method of the target'}, got ${found}.`,
  )
}

export function heldIn(descriptor: PropertyDescriptor | undefined, slot: Slot | 'set'): unknown {
  return descriptor === undefined ? undefined : Reflect.get(descriptor, slot)
}

export function findDescriptor(object: object | null, key: PropertyKey): PropertyDescriptor | undefined {
  for (let holder = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}

export function inheritedDescriptor(splice: object, key: PropertyKey): PropertyDescriptor | undefined {
  return Object.hasOwn(splice, key) ? undefined : findDescriptor(Object.getPrototypeOf(splice) as object | null, key)
}

/** Puts a function on a member; a new one gets the attributes of `like`, an existing one keeps its own. */
export function define(holder: object, key: PropertyKey, slot: Slot, fn: AnyFunction, like?: PropertyDescriptor): void {
  const attributes =
    like === undefined
      ? {}
      : {
          configurable: true,
          enumerable: like.enumerable === true,
          ...(slot === 'get' ? { set: heldIn(like, 'set') } : { writable: true }),
        }
  if (Reflect.defineProperty(holder, key, { ...attributes, [slot]: fn })) return
  throw new ChaosError(
    'CHAOS_TARGET_SEALED',
    `Expected \`${printable(key)}\` to be replaceable, got a member that cannot be: it was frozen meanwhile, or belongs to a module's namespace (\`import * as\`). Inject into the module's default export, or into an object of your own.`,
  )
}

/** Makes a replacement look like what it covers: name, arity and own keys such as `util.promisify.custom`. */
export function likeOriginal(fn: AnyFunction, original: AnyFunction): AnyFunction {
  for (const key of Reflect.ownKeys(original)) {
    const existing = Object.getOwnPropertyDescriptor(fn, key)
    if (existing === undefined || existing.configurable === true) {
      Object.defineProperty(fn, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor)
    } else if (existing.writable === true) {
      Reflect.set(fn, key, Reflect.get(original, key))
    }
  }
  return fn
}
