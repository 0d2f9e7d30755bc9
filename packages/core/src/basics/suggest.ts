import { printable } from './text.js'

/** A longer name is no slip of the finger; the time of a comparison grows with the square of this. */
const MAX_LENGTH = 64
/** Names that are compared at most. */
const MAX_CANDIDATES = 200
/** Names that a sentence lists at most. */
const MAX_LISTED = 50

/**
 * The known name that someone most likely meant, if one is near enough.
 *
 * Names of more than 64 characters are neither looked up nor suggested, and only the first 200 known names are compared: an answer takes no
 * longer than some ms, whatever comes in.
 *
 * @returns A sentence to put behind an error message, or the empty string.
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
 * The message for a name that does not exist: `Unknown option "odrer" of eventbus/delay-events. Did you mean "order"?` If no known name is
 * near enough, the message lists the known names instead, at most 50.
 *
 * @param what What the name should be, and of what: `option`, `fault of target "bus"`.
 * @param known The names that exist.
 * @param also Other spellings that may have been meant, such as short names.
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

/** Names as a list in a sentence: the first 50, each as {@link printable} shows it. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  return joined(names, '`')
}

const quoted = (names: readonly string[]): string => joined(names, '"')

function joined(names: readonly string[], mark: string): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `${mark}${printable(name)}${mark}`)
  return names.length > MAX_LISTED ? `${shown.join(', ')} and ${names.length - MAX_LISTED} more` : shown.join(', ')
}

/** A beginning of at least three letters counts as one mistake. */
function distanceTo(wanted: string, candidate: string, allowed: number): number {
  if (wanted.length >= 3 && candidate.startsWith(wanted)) return 1
  // As many letters must come or go as one is longer than the other.
  return Math.abs(wanted.length - candidate.length) > allowed
    ? Number.POSITIVE_INFINITY
    : editDistance(wanted, candidate)
}

/** Insertions, deletions, substitutions and swaps of neighbours (Damerau's distance, restricted form). */
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
