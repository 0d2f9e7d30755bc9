const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }

/** A duration as Prometheus writes it (`1m30s`), in ms. `undefined`: it is none. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce((sum, [, count = '0', unit = 's']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0)
}

/** The longest range (`[5m]`, `[5m:10s]`) that a query looks back, in ms; 0 without one. */
export function longestRangeMs(query: string): number {
  // What stands between quotes is a label's value, not a range.
  const bare = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
  return Math.max(0, ...[...bare.matchAll(/\[\s*([0-9a-z]+)\s*(?::[^\]]*)?\]/g)].map(([, range = '']) => durationMs(range) ?? 0))
}
