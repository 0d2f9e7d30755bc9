/**
 * Converts any value to JSON. A fault's evidence may contain a bigint, an error, a circular reference, or a getter that
 * throws. Values that JSON cannot represent become text. Never throws, because some callers cannot handle an error.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, shown)
  } catch {
    return JSON.stringify(plain(() => value, []))
  }
}

function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return `[Function ${value.name}]`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return value
}

function plain(read: () => unknown, above: readonly unknown[]): unknown {
  try {
    const value = shown('', read())
    if (typeof value !== 'object' || value === null) return value
    if (above.includes(value)) return '[Circular]'
    const path = [...above, value]
    if (Array.isArray(value)) return value.map((part: unknown) => plain(() => part, path))
    return Object.fromEntries(
      Object.keys(value).map((key) => [key, plain(() => Reflect.get(value, key) as unknown, path)]),
    )
  } catch {
    return '[Unreadable]'
  }
}

/** Whether arrays and objects are nested deeper than `limit` levels. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some((part) => isDeeperThan(part, limit - 1))
}
