/** How the waits before the attempts of a call follow each other. */
export type Growth =
  /** Fewer than two waits, or one that is not known. */
  | 'unknown'
  | 'constant'
  | 'linear'
  | 'exponential'
  /** Each wait is longer than the one before, in no other order. */
  | 'growing'
  | 'irregular'

export interface Backoff {
  readonly growth: Growth
  /** The wait at which growth has stopped, in ms. `undefined`: it has not, or there is none. */
  readonly capMs: number | undefined
}

/** Waits that differ by so much count as equal, and no wait is measured more exactly than by so many ms. */
const TOLERANCE = 0.15
const TOLERANCE_MS = 3

/** Reads the waits before the attempts of one call. */
export function backoffOf(gapsMs: readonly (number | undefined)[]): Backoff {
  const gaps = gapsMs.filter((gap) => gap !== undefined)
  if (gaps.length < 2 || gaps.length < gapsMs.length) return { growth: 'unknown', capMs: undefined }
  const last = gaps.at(-1) as number
  if (gaps.every((gap) => isAbout(gap, last))) return { growth: 'constant', capMs: undefined }
  const growth = growthOf(gaps)
  if (growth === 'linear' || growth === 'exponential') return { growth, capMs: undefined }
  let capped = gaps.length - 1
  while (isAbout(gaps[capped - 1] as number, last)) capped -= 1
  if (capped === gaps.length - 1 || !gaps.every((gap) => gap <= last || isAbout(gap, last)))
    return { growth, capMs: undefined }
  // What was cut to the cap does not show how the waits grow.
  return { growth: growthOf(gaps.slice(0, capped)), capMs: last }
}

function growthOf(gaps: readonly number[]): Growth {
  const steps = pairs(gaps, (before, gap) => gap - before)
  if (steps.some((step) => step <= 0)) return 'irregular'
  if (steps.length < 2) return 'growing'
  if (steps.every((step) => isAbout(step, mean(steps)))) return 'linear'
  const factors = pairs(gaps, (before, gap) => gap / Math.max(before, 1))
  return factors.every((factor) => Math.abs(factor / mean(factors) - 1) <= 2 * TOLERANCE) ? 'exponential' : 'growing'
}

/**
 * Returns how much the waits of different calls before their n-th attempt differ, as a share of their mean: 0 if all calls wait
 * equally long. `undefined`: no n-th wait of enough calls is known.
 */
export function jitterOf(
  gapsOfCalls: readonly (readonly (number | undefined)[])[],
  { calls, longerThanMs }: { readonly calls: number; readonly longerThanMs: number },
): number | undefined {
  const spreads: number[] = []
  for (let nth = 0; nth < Math.max(0, ...gapsOfCalls.map(({ length }) => length)); nth += 1) {
    const gaps = gapsOfCalls.flatMap((one) => one[nth] ?? [])
    const average = mean(gaps)
    if (gaps.length >= calls && average > longerThanMs) spreads.push((Math.max(...gaps) - Math.min(...gaps)) / average)
  }
  return spreads.length === 0 ? undefined : Math.max(...spreads)
}

function isAbout(value: number, other: number): boolean {
  return Math.abs(value - other) <= Math.max(TOLERANCE_MS, TOLERANCE * Math.max(value, other))
}

function pairs(values: readonly number[], of: (before: number, value: number) => number): readonly number[] {
  return values.slice(1).map((value, at) => of(values[at] as number, value))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
