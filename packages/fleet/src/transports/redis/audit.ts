import type { AuditEntry } from '../transport.js'
import { fieldsOf } from '../records.js'

/** About how many entries the audit log keeps. */
export const AUDIT_LENGTH = 100_000
/** The most characters of the details of an entry. */
const MAX_DETAILS = 65_536

type Details = Readonly<Record<string, string>>

/** Returns the details of an entry as text. What is too long is left out, and said to be. */
export function detailsText(details: Details): string {
  const text = JSON.stringify(details)
  return text.length <= MAX_DETAILS ? text : JSON.stringify({ omitted: `${text.length} characters of details` })
}

/** The arguments of `XADD` for an entry. */
export function addition(audit: string, what: string, by: string, details: Details): [string, ...(string | number)[]] {
  return [audit, 'MAXLEN', '~', AUDIT_LENGTH, '*', 'what', what, 'by', by, 'details', detailsText(details)]
}

/** Reads an entry of the stream. Its id begins with the time of the engine. */
export function entryOf([id, flat]: readonly [string, readonly string[]]): AuditEntry {
  const field = (name: string): string => {
    const at = flat.findIndex((value, index) => index % 2 === 0 && value === name)
    return at < 0 ? '' : (flat[at + 1] ?? '')
  }
  const details = Object.entries(fieldsOf(field('details'), MAX_DETAILS) ?? {})
  return {
    id,
    at: Number.parseInt(id, 10),
    what: field('what'),
    by: field('by'),
    details: Object.fromEntries(details.map(([name, value]) => [name, String(value)])),
  }
}
