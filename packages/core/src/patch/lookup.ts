import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import type { AnyFunction } from './below.js'

/** The part of a property descriptor that holds the patched function: a method, or the getter of an accessor. */
export type Slot = 'value' | 'get'

export function ownFunction(object: object, key: PropertyKey, slot: Slot): AnyFunction {
  const descriptor = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor
  const value = functionOf(descriptor, key, slot)
  if (descriptor.configurable !== true && descriptor.writable !== true) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `The member \`${printable(key)}\` cannot be replaced: it is neither writable nor configurable. Inject into the object before it is frozen, or into its class.`,
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
      `The inherited member \`${printable(key)}\` cannot be replaced: the object is sealed, frozen or not extensible. Inject into the prototype of its class instead.`,
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

/** Defines a member. A new member gets the attributes of `like`; an existing one keeps its own. */
export function define(holder: object, key: PropertyKey, slot: Slot, fn: AnyFunction, like?: PropertyDescriptor): void {
  // All attributes are given, since the global object of a `vm` context takes a missing one of a built-in member for `false`.
  const attributes: object | undefined =
    like === undefined
      ? Object.getOwnPropertyDescriptor(holder, key)
      : {
          configurable: true,
          enumerable: like.enumerable === true,
          ...(slot === 'get' ? { set: heldIn(like, 'set') } : { writable: like.writable === true }),
        }
  if (Reflect.defineProperty(holder, key, { ...attributes, [slot]: fn })) return
  throw new ChaosError(
    'CHAOS_TARGET_SEALED',
    `The member \`${printable(key)}\` cannot be replaced: the object was frozen meanwhile, or is a module namespace (\`import * as\`). Inject into the module's default export, or into an object of your own.`,
  )
}

/** Copies the own keys of the original to its replacement: name, length, and others such as `util.promisify.custom`. */
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
