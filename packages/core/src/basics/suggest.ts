import { printable } from './text.js'

/** The longest name that is compared. The time of a comparison grows with the square of the length. */
const MAX_LENGTH = 64
/** The most names that are compared. */
const MAX_CANDIDATES = 200
/** The most names that a message lists. */
const MAX_LISTED = 50

/**
 * Suggests the known name that was most likely meant, if one is close enough.
 *
 * Only names of up to 64 characters and only the first 200 known names are compared, so an answer takes a few ms at most.
 *
 * @returns A sentence to append to an error message, or the empty string.
 */
export function suggestion(name: unknown, known: readonly string[]): string {
  if (typeof name !== 'string' || name.length > MAX_LENGTH) return ''
  const wanted = name.toLowerCase()
  const allowed = Math.max(1, Math.floor(wanted.length / 3))
  let best: { readonly candidate: string; readonly distance: number } | undefined
  for (const candidate of known.slice(0, MAX_CANDIDATES)) {
    if (candidate.length > MAX_LENGTH) continue
    const distance = distanceTo(wanted, candidate.toLowerCase(), allowed)
    if (distance <= allowed && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance }
  }
  return best === undefined ? '' : ` Did you mean "${printable(best.candidate)}"?`
}

/**
 * Makes the message for an unknown name: `Unknown option "odrer" of eventbus/delay-events. Did you mean "order"?` If no
 * known name is close enough, the message lists the known names instead, at most 50.
 *
 * @param what The kind of name, with its owner: `option`, `fault of target "bus"`.
 * @param known The names that exist.
 * @param also Other accepted spellings, such as short names.
 */
export function unknownName(
  what: string,
  name: unknown,
  known: readonly string[],
  also: readonly string[] = [],
): string {
  const [kind = what, ...of] = what.split(' of ')
  const owner = of.length === 0 ? '' : ` of ${of.join(' of ')}`
  const near = suggestion(name, [...known, ...also])
  const names = known.length === 0 ? 'none' : quoted(known)
  return `Unknown ${kind} "${printable(name)}"${owner}.${near === '' ? ` Known: ${names}.` : near}`
}

/** Lists names for a sentence, in backticks: the first 50, each made {@link printable}. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  return joined(names, '`')
}

const quoted = (names: readonly string[]): string => joined(names, '"')

function joined(names: readonly string[], mark: string): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `${mark}${printable(name)}${mark}`)
  return names.length > MAX_LISTED ? `${shown.join(', ')} and ${names.length - MAX_LISTED} more` : shown.join(', ')
}

/** A prefix of at least three letters counts as one mistake. */
function distanceTo(wanted: string, candidate: string, allowed: number): number {
  if (wanted.length >= 3 && candidate.startsWith(wanted)) return 1
  // The distance is never less than the difference in length.
  return Math.abs(wanted.length - candidate.length) > allowed
    ? Number.POSITIVE_INFINITY
    : editDistance(wanted, candidate)
}

/** Counts insertions, deletions, substitutions and swaps of neighbours: the restricted Damerau–Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY
