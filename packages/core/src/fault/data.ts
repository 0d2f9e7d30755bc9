import { isError } from '../basics/is-error.js'
import { printable, readSafely } from '../basics/text.js'

/** Whether JSON carries a value without loss. */
export function isPortable(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isPortable)
  return isPlain(value) && Object.values(value).every((part) => part === undefined || isPortable(part))
}

/** Formats a value for a message: short, and without control characters. */
export function shown(value: unknown): string {
  return readSafely(() => shownUnchecked(value))
}

function shownUnchecked(value: unknown): string {
  if (typeof value === 'string')
    return printable(JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value), { max: 600 })
  if (typeof value === 'function') return `[Function ${printable(value.name)}]`
  if (isError(value)) return `[${printable(value.name)}: ${printable(value.message)}]`
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
  return printable(value)
}

/** Converts options to data that JSON can carry. Functions and errors become their names. */
export function asData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asData)
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asData(part)]))
  return isPortable(value) ? value : shown(value)
}

/** Copies lists and plain objects, deeply frozen. Keeps live objects as they are. */
export function frozen(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  if (isPlain(value))
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, frozen(part)])))
  return value
}

/** Whether a value is a plain object: one whose prototype is `Object.prototype` or `null`. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
