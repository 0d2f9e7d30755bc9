import { types } from 'node:util'
import { isCopyable } from './copyable.js'
import { copyOfList } from './sized-content.js'

/** The value of a field that a copy lacks. */
export const REMOVED = Symbol('removed')

/** The most members of an object that is copied, and the most places of a list that is copied place by place. */
const MAX_MEMBERS = 1_000_000

/**
 * Whether an object can be copied member by member, so that the copy works and the event loop is not blocked for long.
 *
 * @param removing Whether a member is removed, which moves the later items of a list.
 */
export function canCopyWith(structure: object, { removing }: { readonly removing: boolean }): boolean {
  if (!isCopyable(structure)) return false
  if (!Array.isArray(structure)) return Object.keys(structure).length <= MAX_MEMBERS
  return structure.length <= MAX_MEMBERS || !(removing || types.isProxy(structure))
}

/** Copies an object with some fields changed. Keeps its class and its other members, including getters. */
export function copyWith(structure: object, changes: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(structure)) return listWith(structure, changes)
  const copy = Object.create(Object.getPrototypeOf(structure) as object | null) as object
  const names = new Set([...Reflect.ownKeys(structure), ...changes.keys()])
  for (const name of names) {
    const member = changes.has(name as string)
      ? { value: changes.get(name as string), writable: true, enumerable: true, configurable: true }
      : (Reflect.getOwnPropertyDescriptor(structure, name) as PropertyDescriptor)
    if (member.value !== REMOVED) Reflect.defineProperty(copy, name, member)
  }
  return copy
}

/** Copies a list with some items changed. Its holes stay holes. */
function listWith(list: readonly unknown[], changes: ReadonlyMap<string, unknown>): unknown[] {
  const copy = copyOfList(list)
  for (const [key, value] of changes) {
    if (value !== REMOVED) Reflect.set(copy, key, value)
    else if (Number(key) < copy.length) copy.splice(Number(key), 1)
  }
  return copy
}
