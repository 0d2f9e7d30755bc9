/** How a value is damaged. */
export type Damage = 'garble' | 'truncate' | 'remove'

/** Where a leaf of a message is: what holds it, and under which key. */
interface Place {
  readonly holder: Record<string, unknown>
  readonly key: string
}

/**
 * Damages one field of a message.
 *
 * @param field Names of properties and indices, joined by dots. Default: the first leaf.
 * @returns The damaged message; the same where there is nothing to damage.
 */
export function damaged(message: unknown, damage: Damage, field?: string): unknown {
  const root = { message }
  const place = field === undefined ? firstLeaf({ holder: root, key: 'message' }) : find(root, ['message', ...field.split('.')])
  if (place === undefined) return message
  const { holder, key } = place
  if (damage === 'remove') holder[key] = undefined
  else holder[key] = (damage === 'truncate' ? truncated : garbled)(holder[key])
  return root.message
}

function firstLeaf(place: Place): Place | undefined {
  const value = place.holder[place.key]
  if (!isContainer(value)) return place
  for (const key of Object.keys(value)) {
    const leaf = firstLeaf({ holder: value, key })
    if (leaf !== undefined) return leaf
  }
  return undefined
}

function find(holder: Record<string, unknown>, [key = '', ...rest]: readonly string[]): Place | undefined {
  if (!Object.hasOwn(holder, key)) return undefined
  if (rest.length === 0) return { holder, key }
  const next = holder[key]
  return isContainer(next) ? find(next, rest) : undefined
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)

/** Cut off in the middle, as what was read before all of it was written. */
function truncated(value: unknown): unknown {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value.slice(0, value.length >> 1)
  return typeof value === 'number' ? Math.trunc(value / 2) : undefined
}

/** The same kind of value, but a wrong one. */
function garbled(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '\uFFFD' : value.replace(/./su, '\uFFFD')
  if (typeof value === 'number') return -value - 1
  if (typeof value === 'bigint') return -value - 1n
  if (typeof value === 'boolean') return !value
  if (value instanceof Uint8Array && value.length > 0) return value.map((byte, index) => (index === value.length >> 1 ? byte ^ 0xff : byte))
  return undefined
}
