import { inspect } from 'node:util'
import type { OurFunctions } from './ours.js'

/** How deep the parts of an object are looked at, and how many objects in all. */
const MAX_DEPTH = 2
const MAX_OBJECTS = 400

/** The objects that core has put into prototype chains, as every copy of core in a process knows them. */
const splices = (): WeakSet<object> =>
  (Reflect.get(globalThis, Symbol.for('@chaos/core')) as { readonly splices: WeakSet<object> }).splices

/**
 * Lists what our packages have left on objects: an own member, an accessor or a listener that stands in our code, or an object of ours
 * in the prototype chain. The parts of the objects are looked at too.
 *
 * @param met The objects, by name.
 */
export function residueOn(met: Readonly<Record<string, object>>, ours: OurFunctions): readonly string[] {
  const seen = new Set<object>()
  const found: string[] = []
  const look = (object: object, where: string, depth: number): void => {
    if (seen.has(object) || seen.size >= MAX_OBJECTS) return
    seen.add(object)
    // A stand-in that a fault made is all of its code.
    const made: unknown = object.constructor
    if (typeof made === 'function' && ours.has(made)) return
    for (let holder = Object.getPrototypeOf(object) as object | null; holder !== null;) {
      if (splices().has(holder)) found.push(`${where}: an object of ours stands in its prototype chain`)
      holder = Object.getPrototypeOf(holder) as object | null
    }
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key)
      const name = `${where}.${String(key)}`
      for (const part of [descriptor?.value, descriptor?.get, descriptor?.set] as readonly unknown[]) {
        if (typeof part === 'function') {
          if (ours.has(part)) found.push(`${name}: ${inspect(part, { depth: 0 })}`)
          // The wrapper of `once` keeps the listener.
          const { listener } = part as { readonly listener?: unknown }
          if (typeof listener === 'function' && ours.has(listener)) found.push(`${name}: once ${inspect(listener)}`)
        } else if (typeof part === 'object' && part !== null && depth < MAX_DEPTH) look(part, name, depth + 1)
      }
    }
  }
  for (const [name, object] of Object.entries(met)) look(object, name, 0)
  return found
}
