import { printable } from '@chaos/core/authoring'

/** Limits of data that leaves the server. */
export interface Bounds {
  /** The longest text, in characters. Default 500. */
  readonly maxText?: number
  /** The longest list. Default 100. */
  readonly maxItems?: number
  /** The most values, nested values included. Default 2,000. */
  readonly maxValues?: number
}

/** The deepest nesting of lists and objects. */
const MAX_DEPTH = 12
/** What stands in place of data that was left out. */
const CUT = '… (left out)'

/**
 * Copies untrusted data within limits. Control and format characters of texts and names are escaped, passwords in URLs
 * are left out, and data beyond a limit becomes a note.
 */
export function bounded(data: unknown, { maxText = 500, maxItems = 100, maxValues = 2_000 }: Bounds = {}): unknown {
  let left = maxValues
  const copy = (value: unknown, depth: number): unknown => {
    left -= 1
    if (left < 0) return CUT
    if (typeof value === 'string') return plain(value, maxText)
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
    if (typeof value !== 'object') return value === undefined ? undefined : printable(value)
    if (depth >= MAX_DEPTH) return CUT
    if (Array.isArray(value)) {
      const kept = value.slice(0, maxItems).map((one) => copy(one, depth + 1) ?? null)
      return value.length > maxItems ? [...kept, `… and ${value.length - maxItems} more`] : kept
    }
    const entries = Object.entries(value)
    const kept = entries.slice(0, maxItems).map(([name, one]) => [plain(name, 200), copy(one, depth + 1)] as const)
    const more = entries.length > maxItems ? [['…', `${entries.length - maxItems} more`] as const] : []
    return Object.fromEntries([...kept, ...more].filter(([, one]) => one !== undefined))
  }
  return copy(data, 0)
}

/** Makes one untrusted text safe to show: escaped, cut, and without passwords of URLs. */
export function plain(text: unknown, max = 200): string {
  return printable(
    String(text)
      .slice(0, 2 * max + 1_000)
      .replace(/(:\/\/[^\s/?#"@:]*:)[^\s/?#"]*@/g, '$1…@'),
    { max },
  )
}
