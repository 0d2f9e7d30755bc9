/** The part of time that the chart shows, in ms since the epoch. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** The shortest and the longest part of time, in ms. */
const SHORTEST_MS = 2_000
const LONGEST_MS = 24 * 3_600_000

/**
 * Zooms around a time.
 *
 * @param factor Less than 1 shows less time, in more detail.
 */
export function zoomed({ from, to }: Window, factor: number, around = to): Window {
  const length = to - from
  const made = Math.min(Math.max(length * factor, SHORTEST_MS), LONGEST_MS)
  const share = length === 0 ? 1 : (around - from) / length
  return { from: around - made * share, to: around + made * (1 - share) }
}

/** Moves by a share of the part that is shown. */
export const moved = ({ from, to }: Window, share: number): Window => ({
  from: from + (to - from) * share,
  to: to + (to - from) * share,
})

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400].map((one) => one * 1_000)

/** The times of at most `most` ticks, at whole seconds, minutes or hours. */
export function ticksOf({ from, to }: Window, most: number): readonly number[] {
  const step = STEPS_MS.find((one) => (to - from) / one <= most) ?? (to - from) / most
  const ticks: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= to && ticks.length <= most; at += step) ticks.push(at)
  return ticks
}
