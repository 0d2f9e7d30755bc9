import { ChaosError } from '@chaos/core'
import { printable } from '@chaos/core/authoring'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Reads a time with a unit, such as `90s`, `15m` or `1h`.
 *
 * @returns The time in ms.
 * @throws ChaosError `CHAOS_INVALID_OPTION` when it is no such time, 0, or longer than `maxMs`
 */
export function parseDuration(text: string, flag: string, maxMs: number): number {
  const [, amount, unit] = /^(\d{1,9})(s|m|h)$/.exec(text.trim()) ?? []
  const ms = Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  if (ms > 0 && ms <= maxMs) return ms
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`${flag}\` to be a time from 1s to ${inWords(maxMs)}, such as 90s, 15m or 1h, got \`${printable(text)}\`.`,
  )
}

/** Writes a time for people: `90 s`, `15 min`, `2 h`. */
export function inWords(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`
  if (ms % 60_000 === 0) return `${ms / 60_000} min`
  return `${Math.ceil(ms / 1_000)} s`
}
