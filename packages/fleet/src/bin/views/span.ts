const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** Formats a time for people: `2 h 5 min`, `41 s`, `0.4 s`. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return 'ever'
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`
  const at = UNITS.findIndex(([, size]) => ms >= size)
  const [unit, size] = UNITS[at] ?? UNITS[3]
  const count = Math.floor(ms / size)
  const next = UNITS[at + 1]
  const rest = next === undefined ? 0 : Math.floor((ms - count * size) / next[1])
  return next === undefined || rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${next[0]}`
}

/** The latest time that a `Date` can represent, in ms since the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000

/** Formats a time in UTC, to the second. It may come from a fleet, and be none. */
export const timeOf = (at: number): string =>
  Math.abs(at) <= MAX_DATE_MS ? `${new Date(at).toISOString().slice(0, 19)}Z` : 'an unknown time'
