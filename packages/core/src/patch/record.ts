import { processState } from '../process/process-state.js'
import type { AnyFunction, Layer } from './below.js'
import type { Slot } from './lookup.js'

/** The layers over one value of a member. A member has several stacks if other code patched it in between. */
export interface Stack {
  readonly slot: Slot
  /** The original function of an own member. An inherited member is looked up on each call instead. */
  original: AnyFunction | undefined
  /** Bottom first. */
  readonly layers: Layer[]
  /** The layer's function on the member, unless other code has replaced it. */
  visible: AnyFunction
}

/** The patches of one object. */
export interface PatchRecord {
  /** The object between the target and its prototype, which holds the replacements of inherited members. */
  splice: object | undefined
  readonly own: Map<PropertyKey, Stack[]>
  readonly inherited: Map<PropertyKey, Stack[]>
}

/** The patches of an object. Starts a new record for inherited members if the application has changed the object's prototype since. */
export function recordOf(object: object, records: WeakMap<object, PatchRecord>): PatchRecord {
  const known = records.get(object)
  if (known === undefined) return { splice: undefined, own: new Map(), inherited: new Map() }
  const isDetached = known.splice !== undefined && !Object.prototype.isPrototypeOf.call(known.splice, object)
  return isDetached ? { splice: undefined, own: known.own, inherited: new Map() } : known
}

/**
 * Returns the objects of a prototype chain that have an own member of this name, nearest first, ignoring patches. A binding
 * uses it to find which override to patch.
 */
export function ownersOf(object: object, key: PropertyKey): object[] {
  const { splices } = processState()
  const owners: object[] = []
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.hasOwn(holder, key) && !splices.has(holder)) owners.push(holder)
  }
  return owners
}

/** Returns the value that `object[key]` has without patches. */
export function originalOf(object: object, key: PropertyKey): unknown {
  const [owner] = ownersOf(object, key)
  if (owner === undefined) return undefined
  const record = processState().patches.get(owner) as PatchRecord | undefined
  return record?.own.get(key)?.[0]?.original ?? Reflect.get(owner, key, object)
}
