import { processState } from '../process/process-state.js'
import type { AnyFunction, Layer } from './below.js'
import type { Slot } from './lookup.js'

/** The layers over one value of a member. A member has more than one stack when someone else patched in between. */
export interface Stack {
  readonly slot: Slot
  /** What the member held before: the value of an own member; for an inherited one it is looked up when it is called. */
  readonly original: AnyFunction | undefined
  /** Bottom first. */
  readonly layers: Layer[]
  /** Our function that stands on the member, as long as nobody replaced it. */
  visible: AnyFunction
}

/** What is patched on one object. */
export interface PatchRecord {
  /** Stands between the object and its prototype and holds the replacements of inherited members. */
  splice: object | undefined
  readonly own: Map<PropertyKey, Stack[]>
  readonly inherited: Map<PropertyKey, Stack[]>
}

/** What is patched on an object. What lies on a prototype that the app has swapped for another one since is a record of its own. */
export function recordOf(object: object, records: WeakMap<object, PatchRecord>): PatchRecord {
  const known = records.get(object)
  if (known === undefined) return { splice: undefined, own: new Map(), inherited: new Map() }
  const isOffThePath = known.splice !== undefined && !Object.prototype.isPrototypeOf.call(known.splice, object)
  return isOffThePath ? { splice: undefined, own: known.own, inherited: new Map() } : known
}

/**
 * The objects of a prototype chain that have a member of their own by this name, nearest first, as if nothing were patched.
 * A binding finds the override beneath which to break with it.
 */
export function ownersOf(object: object, key: PropertyKey): object[] {
  const { splices } = processState()
  const owners: object[] = []
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (Object.hasOwn(holder, key) && !splices.has(holder)) owners.push(holder)
  }
  return owners
}

/** What `object[key]` would be if nothing were patched. */
export function originalOf(object: object, key: PropertyKey): unknown {
  const [owner] = ownersOf(object, key)
  if (owner === undefined) return undefined
  const record = processState().patches.get(owner) as PatchRecord | undefined
  return record?.own.get(key)?.[0]?.original ?? Reflect.get(owner, key, object)
}
