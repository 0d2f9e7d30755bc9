import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import { processState } from '../process/process-state.js'
import type { AnyFunction } from './below.js'
import type { PatchRecord } from './record.js'

/**
 * Inserts an empty object between a target and its prototype.
 *
 * @throws ChaosError `CHAOS_TARGET_SEALED` if the prototype is fixed.
 */
export function splice(object: object, key: PropertyKey): object {
  const prototype = Object.getPrototypeOf(object) as object | null
  const between =
    typeof object === 'function' && typeof prototype === 'function'
      ? constructible(prototype)
      : (Object.create(prototype) as object)
  if (!Reflect.setPrototypeOf(object, between)) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `The inherited member \`${printable(key)}\` cannot be replaced: the prototype of the object is fixed. Inject into an object that inherits from it.`,
    )
  }
  processState().splices.add(between)
  return between
}

/** Makes a splice for a class. It must be a constructor, since `super()` constructs the prototype of a derived class. */
function constructible(base: AnyFunction): object {
  const between = Function.prototype.bind.call(base, undefined) as AnyFunction
  for (const key of Reflect.ownKeys(between)) Reflect.deleteProperty(between, key)
  return Object.setPrototypeOf(between, base) as object
}

/**
 * Removes the splice from the prototype chain, unless other code has put members on it.
 *
 * @returns `false` if the target was frozen meanwhile, which fixes its prototype.
 */
export function unsplice(object: object, record: PatchRecord): boolean {
  const between = record.splice as object
  if (Reflect.ownKeys(between).length > 0) return true
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.getPrototypeOf(holder) !== between) continue
    if (!Reflect.setPrototypeOf(holder, Object.getPrototypeOf(between) as object | null)) return false
    break
  }
  record.splice = undefined
  return true
}
