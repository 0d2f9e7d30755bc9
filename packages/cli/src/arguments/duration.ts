import { ChaosError } from '@chaos/core'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Reads a time span such as `500ms`, `10s`, `2m` or `1h`; a number alone is in ms.
 *
 * @returns ms
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  if (match === null)
    throw new ChaosError('CHAOS_INVALID_OPTION', `Expected a time span such as 500ms, 10s or 2m, got \`${text}\`.`)
  return Number(match[1]) * (UNIT_MS[match[2] ?? 'ms'] ?? 1)
}
