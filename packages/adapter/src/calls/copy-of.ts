/** A copy of data that nobody else holds: plain objects, arrays and bytes anew, everything else as it is. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  return isPlain(value) ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) : value
}

/** Whether a value is an object literal, or one that JSON made. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
