import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Reads a time such as `500ms`, `30s`, `10m` or `2h`. A number alone has no unit, and could be read as any; `0` needs none.
 *
 * @returns The time in ms.
 * @throws ChaosError `CHAOS_INVALID_OPTION`
 */
export function parseDuration(text: string, flag: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  if (amount !== undefined && (unit !== undefined || Number(amount) === 0))
    return Number(amount) * (UNIT_MS[unit ?? 'ms'] ?? 1)
  const advice = amount === undefined ? 'a time such as 30s, 10m or 2h' : `a time with a unit: \`${amount}s\``
  throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`${flag}\` to be ${advice}, got \`${printable(text)}\`.`)
}
