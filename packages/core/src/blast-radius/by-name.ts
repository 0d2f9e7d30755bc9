import { hashOf } from './random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'

/** Names of operations that one injection tells apart. */
export const MAX_TOLD_APART = 10_000
/** Characters of these names together. */
const MAX_CHARACTERS = 1_000_000
/** Groups that all further names fall into. */
const GROUPS = 1_024

/**
 * Keeps one value for each name of an operation, in bounded memory: an app may make up a new name for every event.
 *
 * The first 10,000 names (1,024 characters each, 1,000,000 together) have a value each. Every further name falls into one of 1,024 groups, always
 * the same one, and the names of a group share its value.
 *
 * @param make Makes the value of a name, or of a group, whose name is a NUL and a number.
 * @param inGroup What a name that shares the value of its group gets. Default: the very value.
 */
export function byName<T>(
  make: (name: string | symbol) => T,
  inGroup: (group: T, name: string | symbol) => T = (group) => group,
): (name: string | symbol) => T {
  const told = new Map<string | symbol, T>()
  const groups = new Map<number, T>()
  let characters = 0
  return (name) => {
    const length = lengthOf(name)
    const known = length > MAX_NAME_LENGTH ? undefined : told.get(name)
    if (known !== undefined) return known
    if (told.size < MAX_TOLD_APART && length <= MAX_NAME_LENGTH && characters + length <= MAX_CHARACTERS) {
      characters += length
      const own = typeof name === 'string' ? keptName(name) : name
      const value = make(own)
      told.set(own, value)
      return value
    }
    const index = (hashOf(keptName(name)) >>> 0) % GROUPS
    let group = groups.get(index)
    if (group === undefined) groups.set(index, (group = make(`\0${index}`)))
    return inGroup(group, name)
  }
}

/** The characters that keeping a name keeps: those of a symbol's description, too. */
function lengthOf(name: string | symbol): number {
  if (typeof name === 'symbol') return name.description?.length ?? 0
  return typeof name === 'string' ? name.length : 0
}
