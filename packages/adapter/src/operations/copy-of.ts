/** A copy of data that nobody else holds: plain objects, arrays and bytes anew, everything else as it is, and all of it where a part cannot be read. */
export function copyOf(value: unknown): unknown {
  try {
    return copied(value, new Map())
  } catch {
    // A getter that throws, or nested too deep.
    return value
  }
}

/** @param made Copies so far: data may contain itself. */
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

/** Whether a value is an object literal, or one that JSON made. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
