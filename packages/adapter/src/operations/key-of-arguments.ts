import { bytesOf, isBytes } from '@chaos/core/authoring'
import { createHash } from 'node:crypto'
import { inspect, types } from 'node:util'

/** The longest key in characters; a longer one is replaced by its hash. */
const MAX_KEY_LENGTH = 200
/** The most values in the arguments of one call, nested values included, and the deepest nesting. */
const MAX_PARTS = 10_000
const MAX_LEVEL = 64
/** The most characters and bytes in the arguments of one call. */
const MAX_SIZE = 1_000_000

/**
 * Returns a key that equal arguments share, with all of their text and bytes.
 *
 * @param asText Changes the text of the arguments, to ignore a part of it. Default: no part.
 * @returns `undefined` for arguments that are too large to compare, hold a Proxy, or throw when they are read.
 */
export function keyOfArguments(
  args: readonly unknown[],
  asText: (text: string) => string = (text) => text,
): string | undefined {
  try {
    const bytes = bytesIn(args)
    if (bytes === undefined) return undefined
    const all = Number.POSITIVE_INFINITY
    const key = [
      asText(inspect(args, { depth: all, maxArrayLength: null, maxStringLength: null, breakLength: all })),
      // `inspect` shows only the first 50 bytes of a Buffer.
      ...bytes,
    ].join(' ')
    return key.length > MAX_KEY_LENGTH ? createHash('sha256').update(key).digest('base64') : key
  } catch {
    return undefined
  }
}

/** Returns all bytes in a value, in order, or `undefined` if the value is too large. */
function bytesIn(value: unknown): readonly string[] | undefined {
  const found: string[] = []
  const seen = new Set<object>()
  let [parts, size] = [0, 0]
  const isSmall = (part: unknown, level: number): boolean => {
    parts += 1
    if (parts > MAX_PARTS || level > MAX_LEVEL) return false
    if (typeof part === 'string') return (size += part.length) <= MAX_SIZE
    if (typeof part !== 'object' || part === null) return true
    if (seen.has(part)) return true
    seen.add(part)
    if (types.isProxy(part)) return false
    if (isBytes(part)) {
      size += part.byteLength
      if (size > MAX_SIZE) return false
      found.push(bytesOf(part).toString('base64'))
      return true
    }
    if (types.isMap(part) || types.isSet(part)) {
      for (const [key, item] of part.entries()) if (!isSmall(key, level + 1) || !isSmall(item, level + 1)) return false
      return true
    }
    if (Array.isArray(part) && part.length > MAX_PARTS) return false
    return Reflect.ownKeys(part).every((key) => isSmall(Reflect.getOwnPropertyDescriptor(part, key)?.value, level + 1))
  }
  return isSmall(value, 0) ? found : undefined
}
