import { inventoryOf, type Evidence } from '../evidence/evidence.js'

/** Fields whose content the fault defines. They are not judged. */
const FREE: ReadonlySet<string> = new Set(['options', 'evidence', 'account'])

/**
 * Why evidence is incomplete: recorded parts are missing, or numbers became other values. `undefined`: it is complete.
 */
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

/**
 * The path of a value that should be a number but is not. JSON writes `null` for NaN and infinities. Only a probe's
 * value may be infinite.
 */
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
