import { inventoryOf, type Evidence } from '../evidence/evidence.js'

/** What a fault says in its own words, and is not judged. */
const FREE: ReadonlySet<string> = new Set(['options', 'evidence', 'account'])

/** Why evidence cannot be judged: parts of it are no longer whole, or are no numbers where numbers were recorded. */
export function holes(evidence: unknown): string | undefined {
  if (typeof evidence !== 'object' || evidence === null) return 'The evidence is incomplete: none was given.'
  const now = inventoryOf(evidence)
  const recorded = (evidence as Partial<Evidence>).inventory ?? {}
  const torn = [...new Set([...Object.keys(now), ...Object.keys(recorded)])].filter(
    (name) => now[name] !== recorded[name],
  )
  if (torn.length > 0) return `The evidence is incomplete: recorded parts of ${torn.join(', ')} are missing.`
  const place = unreadable(evidence, '')
  return place === undefined ? undefined : `The evidence is incomplete: ${place} is not a number.`
}

/** Where a number is none. JSON writes `null` for NaN and for the infinite, of which a probe alone may read one. */
function unreadable(value: unknown, key: string): string | undefined {
  if (
    value === null ||
    (typeof value === 'number' && (Number.isNaN(value) || (!Number.isFinite(value) && key !== 'value')))
  )
    return key
  if (typeof value !== 'object') return undefined
  for (const [name, one] of Object.entries(value)) {
    if (FREE.has(name)) continue
    const place = unreadable(one, name)
    if (place !== undefined) return key === '' ? place : `${key}.${place}`
  }
  return undefined
}
