import { InvalidArgumentError } from 'commander'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Parses a time such as `500ms`, `10s`, `2m` or `1h`. A number alone is in ms, as in options whose name has the unit
 * (`--delay-ms 1000`).
 *
 * @returns The time in ms.
 * @throws InvalidArgumentError when the text is not a time
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('Expected a time such as 500ms, 10s or 2m.')
  return Number(match[1]) * (UNIT_MS[match[2] ?? 'ms'] ?? 1)
}
