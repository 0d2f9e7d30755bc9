import { isPlain } from './copy-of.js'

/** How results are damaged. */
export const damages = ['truncate', 'garble', 'empty'] as const

/** The next number from 0 (included) to 1 (excluded). */
export type Chance = () => number

/** A damaged copy of a result; the original stays as it is. */
export function damaged(value: unknown, damage: (typeof damages)[number], chance: Chance): unknown {
  return { truncate: truncated, garble: garbled, empty: emptied }[damage](value, chance)
}

/** Texts, bytes and lists lose their second half, in objects each field for itself; what has no length stays. */
function truncated(value: unknown): unknown {
  if (typeof value === 'string' || Array.isArray(value) || Buffer.isBuffer(value))
    return value.slice(0, Math.floor(value.length / 2))
  if (value instanceof Uint8Array) return value.slice(0, Math.floor(value.length / 2))
  return isPlain(value) ? mapped(value, truncated) : value
}

/** One letter, bit, number or truth value is another, at a place that chance chooses. */
function garbled(value: unknown, chance: Chance): unknown {
  if (typeof value === 'string') {
    const at = place(value.length, chance)
    return value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ 1) + value.slice(at + 1)
  }
  if (typeof value === 'number') return -value - 1
  if (typeof value === 'bigint') return ~value
  if (typeof value === 'boolean') return !value
  if (value instanceof Uint8Array) {
    const bytes = Buffer.isBuffer(value) ? Buffer.from(value) : value.slice()
    const at = place(bytes.length, chance)
    if (bytes.length > 0) bytes[at] = (bytes[at] as number) ^ (1 << place(8, chance))
    return bytes
  }
  if (Array.isArray(value)) {
    const at = place(value.length, chance)
    return value.map((item: unknown, index) => (index === at ? garbled(item, chance) : item))
  }
  if (!isPlain(value)) return value
  const keys = Object.keys(value)
  const at = keys[place(keys.length, chance)]
  return mapped(value, (part, key) => (key === at ? garbled(part, chance) : part))
}

/** Nothing in it; what cannot be empty is `null`. */
function emptied(value: unknown): unknown {
  if (typeof value === 'string') return ''
  if (Buffer.isBuffer(value)) return Buffer.alloc(0)
  if (value instanceof Uint8Array) return new Uint8Array()
  if (Array.isArray(value)) return []
  return isPlain(value) ? {} : null
}

function place(length: number, chance: Chance): number {
  return Math.floor(chance() * length)
}

function mapped(
  value: Readonly<Record<string, unknown>>,
  change: (part: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part, key)]))
}
