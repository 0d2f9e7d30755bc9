import { asData } from '../fault/data.js'
import { redacted } from '../basics/redact.js'
import { readSafely } from '../basics/text.js'

/** The most characters in a string. */
const MAX_TEXT = 1_000
/** The most entries in a list or an object. */
const MAX_ENTRIES = 100
/** The deepest nesting of lists and objects. */
const MAX_DEPTH = 4

/**
 * Bounds evidence before it is kept, journalled and published, since it may hold an application's error of any size. Strings
 * are cut to 1,000 characters, lists and objects to 100 entries and 4 levels. What looks like a credential is left out.
 */
export function boundedEvidence(evidence: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(evidence)
        .slice(0, MAX_ENTRIES)
        .map(([key, value]) => [key, redacted(bounded(value, 1), key)]),
    ),
  )
}

const bounded = (value: unknown, depth: number): unknown => readSafely(() => cut(value, depth))

function cut(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return Array.isArray(value) ? `an array of ${value.length}` : 'an object'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((part) => bounded(part, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return asData(value)
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ENTRIES)
      .map(([key, part]) => [key, bounded(part, depth + 1)]),
  )
}
