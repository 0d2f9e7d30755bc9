/**
 * A value as JSON, whatever it holds: a fault's evidence may carry a bigint, an error, or itself.
 * What JSON cannot carry is shown as text.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, shown)
  } catch {
    return JSON.stringify(withoutCycles(value, []), shown)
  }
}

function shown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return `[Function ${value.name}]`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return value
}

function withoutCycles(value: unknown, above: readonly object[]): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value
  if (above.includes(value)) return '[Circular]'
  const path = [...above, value]
  if (Array.isArray(value)) return value.map((part) => withoutCycles(part, path))
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutCycles(part, path)]))
}

/** Whether arrays and objects lie in one another deeper than `limit`. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return limit === 0 || Object.values(value).some((part) => isDeeperThan(part, limit - 1))
}
