/** How a value is damaged. */
export type Damage = 'garble' | 'truncate' | 'remove'

/**
 * Damages one field of a message. The message that came is never changed, since it may be its sender's own: what lies on the path is copied.
 *
 * @param field Names of properties and indices, joined by dots. Default: the first leaf.
 * @returns The damaged message; the same where there is nothing to damage.
 */
export function damaged(message: unknown, damage: Damage, field?: string): unknown {
  const path = field === undefined ? firstLeaf(message) : field.split('.')
  if (path === undefined) return message
  return damagedAt(message, path, { remove: () => undefined, truncate: truncated, garble: garbled }[damage])
}

/** The way to the first value that is no object or list. */
function firstLeaf(value: unknown): readonly string[] | undefined {
  if (!isContainer(value)) return []
  for (const key of Object.keys(value)) {
    const rest = firstLeaf(value[key])
    if (rest !== undefined) return [key, ...rest]
  }
  return undefined
}

function damagedAt(value: unknown, [key, ...rest]: readonly string[], damage: (value: unknown) => unknown): unknown {
  if (key === undefined) return damage(value)
  if (!isContainer(value) || !Object.hasOwn(value, key)) return value
  const copy = (Array.isArray(value) ? [...(value as readonly unknown[])] : { ...value }) as Record<string, unknown>
  copy[key] = damagedAt(value[key], rest, damage)
  return copy
}

const isContainer = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)

/** Cut off in the middle, as what was read before all of it was written. */
function truncated(value: unknown): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value))
    return value.slice(0, value.length >> 1)
  return typeof value === 'number' ? Math.trunc(value / 2) : undefined
}

/** The same kind of value, but a wrong one. */
function garbled(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '\uFFFD' : value.replace(/./su, '\uFFFD')
  if (typeof value === 'number') return -value - 1
  if (typeof value === 'bigint') return -value - 1n
  if (typeof value === 'boolean') return !value
  if (value instanceof Uint8Array && value.length > 0)
    return value.map((byte, index) => (index === value.length >> 1 ? byte ^ 0xff : byte))
  return undefined
}
