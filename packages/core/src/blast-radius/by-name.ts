import { hashOf } from './random.js'
import { keptName, MAX_NAME_LENGTH } from '../basics/text.js'

/** The most operation names with a value of their own. */
export const MAX_NAMES = 10_000
/** The most characters in these names together. */
const MAX_CHARACTERS = 1_000_000
/** The number of groups for all further names. */
const GROUPS = 1_024

/**
 * Keeps one value per operation name in bounded memory. An application may use a new name for every event.
 *
 * The first 10,000 names (1,024 characters each, 1,000,000 together) get a value each. A hash assigns every further name to
 * one of 1,024 groups, and the names of a group share its value.
 *
 * @param make Makes the value of a name or of a group. The name of a group is a NUL and a number.
 * @param inGroup Maps the value of a group to the value of a name in it. Default: the value of the group.
 */
export function byName<T>(
  make: (name: string | symbol) => T,
  inGroup: (group: T, name: string | symbol) => T = (group) => group,
): (name: string | symbol) => T {
  const values = new Map<string | symbol, T>()
  // Made when needed: most operations have few names, and each injection has such maps.
  let groups: Map<number, T> | undefined
  let characters = 0
  return (given: string | symbol | number) => {
    // `EventEmitter` keeps the event 1 under the key '1': both are one name.
    const name = typeof given === 'number' ? String(given) : given
    const length = lengthOf(name)
    const known = length > MAX_NAME_LENGTH ? undefined : values.get(name)
    if (known !== undefined) return known
    if (values.size < MAX_NAMES && length <= MAX_NAME_LENGTH && characters + length <= MAX_CHARACTERS) {
      characters += length
      const own = typeof name === 'string' ? keptName(name) : name
      const value = make(own)
      values.set(own, value)
      return value
    }
    groups ??= new Map()
    const index = (hashOf(keptName(name)) >>> 0) % GROUPS
    let group = groups.get(index)
    if (group === undefined) groups.set(index, (group = make(`\0${index}`)))
    return inGroup(group, name)
  }
}

/** The number of characters in a name; for a symbol, in its description. */
function lengthOf(name: string | symbol): number {
  if (typeof name === 'symbol') return name.description?.length ?? 0
  return typeof name === 'string' ? name.length : 0
}
