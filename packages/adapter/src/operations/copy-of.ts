/**
 * Copies plain objects, arrays and bytes, deeply. Other values are shared, and so is the whole value if a part of it
 * cannot be read.
 */
export function copyOf(value: unknown): unknown {
  try {
    return copied(value, new Map())
  } catch {
    // A getter may throw, and deep nesting overflows the stack.
    return value
  }
}

/** @param made The copies so far, since data may contain itself. */
function copied(value: unknown, made: Map<object, object>): unknown {
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  const isList = Array.isArray(value)
  if (!isList && !isPlain(value)) return value
  const known = made.get(value)
  if (known !== undefined) return known
  const copy: object = isList ? new Array<unknown>(value.length) : {}
  made.set(value, copy)
  for (const [key, part] of Object.entries(value))
    Object.defineProperty(copy, key, {
      value: copied(part, made),
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
