import { ChaosError } from '../basics/errors.js'
import { printable } from '../basics/text.js'
import { processState } from '../process/process-state.js'
import type { AnyFunction } from './below.js'
import type { PatchRecord } from './record.js'

export function splice(object: object, key: PropertyKey): object {
  const prototype = Object.getPrototypeOf(object) as object | null
  const between =
    typeof object === 'function' && typeof prototype === 'function'
      ? constructible(prototype)
      : (Object.create(prototype) as object)
  if (!Reflect.setPrototypeOf(object, between)) {
    throw new ChaosError(
      'CHAOS_TARGET_SEALED',
      `Expected an object whose inherited \`${printable(key)}\` can be covered, got one with a fixed prototype.`,
    )
  }
  processState().splices.add(between)
  return between
}

/** A splice for a class: the prototype of a derived class is what its `super()` constructs. */
function constructible(base: AnyFunction): object {
  const between = Function.prototype.bind.call(base, undefined) as AnyFunction
  for (const key of Reflect.ownKeys(between)) Reflect.deleteProperty(between, key)
  return Object.setPrototypeOf(between, base) as object
}

/**
 * Takes the splice out of the prototype chain, unless somebody put members of theirs on it.
 *
 * @returns Whether it could: a target that was frozen meanwhile keeps its prototype.
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
