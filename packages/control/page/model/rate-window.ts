/** The seconds that a window covers. */
const WINDOW_SECONDS = 60

/** Counts hits per second over the last minute. */
export interface RateWindow {
  /** @param at in ms since the epoch */
  add(at: number): void
  /** Hits in each of the last 60 seconds, oldest first. The last one is the second of `now`. */
  counts(now: number): readonly number[]
}

export function rateWindow(): RateWindow {
  /** Hits by second. It holds at most twice the window. */
  const bySecond = new Map<number, number>()
  const secondOf = (at: number): number => Math.floor(at / 1_000)

  return {
    add(at) {
      const second = secondOf(at)
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
      if (bySecond.size <= 2 * WINDOW_SECONDS) return
      const newest = Math.max(...bySecond.keys())
      for (const key of bySecond.keys()) if (key <= newest - WINDOW_SECONDS) bySecond.delete(key)
    },
    counts(now) {
      const last = secondOf(now)
      return Array.from({ length: WINDOW_SECONDS }, (_, index) => bySecond.get(last - WINDOW_SECONDS + 1 + index) ?? 0)
    },
  }
}
