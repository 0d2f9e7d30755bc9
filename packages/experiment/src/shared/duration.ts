const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

/** The longest duration text, and the longest query that is searched for ranges, in characters. */
const MAX_DURATION = 100
const MAX_QUERY = 100_000

/** Parses a Prometheus duration (`1m30s`) to ms; `undefined` if the text is not a duration. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (text.length > MAX_DURATION) return undefined
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
    (sum, [, count = '0', unit = 's']) => sum + Number(count) * (UNIT_MS[unit] ?? 0),
    0,
  )
}

/** The longest range (`[5m]`, `[5m:10s]`) in a query, in ms; 0 if the query has none. Scans the query once. */
export function longestRangeMs(query: string): number {
  let longest = 0
  let from: number | undefined
  for (let at = 0; at < Math.min(query.length, MAX_QUERY); at += 1) {
    const character = query.charAt(at)
    // A bracket inside quotes belongs to a label value, not to a range.
    if (character === '"' || character === "'" || character === '`') at = endOfQuoted(query, at, character)
    else if (character === '[') from = at + 1
    else if ((character === ']' || character === ':') && from !== undefined) {
      longest = Math.max(longest, durationMs(query.slice(from, at).trim()) ?? 0)
      from = undefined
    }
  }
  return longest
}

/** The index of the closing quote. Between backticks, a backslash is an ordinary character. */
function endOfQuoted(query: string, start: number, quote: string): number {
  for (let at = start + 1; at < query.length; at += 1) {
    if (query[at] === '\\' && quote !== '`') at += 1
    else if (query[at] === quote) return at
  }
  return query.length
}
