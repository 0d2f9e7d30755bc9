/** The most values and bytes that are copied. */
const MAX_PARTS = 1_000_000
const MAX_BYTES = 268_435_456

/**
 * Copies plain objects, arrays and bytes, deeply. Other values are shared, and so is the whole value if a part of it
 * cannot be read, or if it has more than 1,000,000 parts, a longer list, or 256 MiB of bytes.
 */
export function copyOf(value: unknown): unknown {
  try {
    return copied(value, new Map(), { parts: MAX_PARTS, bytes: MAX_BYTES })
  } catch {
    // A getter may throw, and deep nesting overflows the stack.
    return value
  }
}

/**
 * @param made The copies so far, since data may contain itself.
 * @param left What may still be copied.
 */
function copied(value: unknown, made: Map<object, object>, left: { parts: number; bytes: number }): unknown {
  left.parts -= 1
  const isBytes = Buffer.isBuffer(value)
  if (isBytes) left.bytes -= value.length
  const isList = Array.isArray(value)
  if (left.parts < 0 || left.bytes < 0 || (isList && value.length > MAX_PARTS))
    throw new RangeError('The value is too large to copy.')
  if (isBytes) return Buffer.from(value)
  if (!isList && !isPlain(value)) return value
  const known = made.get(value)
  if (known !== undefined) return known
  const copy: object = isList ? new Array<unknown>(value.length) : {}
  made.set(value, copy)
  for (const key of Object.keys(value))
    Object.defineProperty(copy, key, {
      value: copied(Reflect.get(value, key), made, left),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  return copy
}

/** Returns whether a value is an object literal or an object that JSON made. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
