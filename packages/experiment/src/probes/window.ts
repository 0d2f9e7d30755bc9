import { keyOf, type TextSample } from './prometheus-text.js'

/** The increase of counters within a sliding window. */
export interface Window {
  /** Adds the counters of a page. */
  count(samples: readonly TextSample[], at: number): void
  /**
   * The increase of every series that existed within the window, summed over its readings.
   *
   * @throws Error when the window has no earlier reading
   */
  increases(): readonly TextSample[]
}

interface Counter {
  readonly sample: TextSample
  /** The counter's value on the last page; `undefined`: the page did not contain it. */
  last: number | undefined
  /** The increase since the first page. */
  total: number
  seenAt: number
}
interface Page {
  readonly at: number
  readonly totals: Map<string, number>
}

/** The number of pages that a window keeps. It limits the window's precision to 1/200 of its length. */
const PAGES = 200

/**
 * Sums the increases of counters, as Prometheus' `increase` does. A counter that decreased or was missing from a page
 * has restarted at 0, even if it exceeds its old value by now. All buckets of a histogram restart together. A bucket
 * that appears later than the others counts from its first value. Increases before a series disappeared count while
 * they are within the window.
 *
 * A gap of more than twice the window between two readings restarts the window, since an increase in the gap may be too
 * old.
 */
export function counterWindow(windowMs: number): Window {
  const counters = new Map<string, Counter>()
  let pages: Page[] = []
  let last: { readonly at: number } | undefined

  function take(samples: readonly TextSample[], at: number): void {
    const isFirst = last === undefined
    const gone = new Set(counters.values())
    const keyed = samples.map((sample) => [keyOf(sample), sample] as const)
    const begunAnew = new Set(
      keyed
        .filter(([key, { value }]) => value < (counters.get(key)?.last ?? 0))
        .map(([, sample]) => histogramOf(sample)),
    )
    const goingOn = new Set(
      [...counters.values()]
        .filter(({ last: before }) => before !== undefined)
        .map(({ sample }) => histogramOf(sample)),
    )
    for (const [key, sample] of keyed) {
      const known = counters.get(key)
      const histogram = histogramOf(sample)
      // A bucket that was not on earlier pages may have counted its value long ago.
      const isShownLater = known?.last === undefined && goingOn.has(histogram)
      const added = begunAnew.has(histogram) ? sample.value : isShownLater ? 0 : sample.value - (known?.last ?? 0)
      if (known === undefined) counters.set(key, { sample, last: sample.value, total: isFirst ? 0 : added, seenAt: at })
      else {
        known.total += added
        known.last = sample.value
        known.seenAt = at
        gone.delete(known)
      }
    }
    for (const counter of gone) counter.last = undefined
    for (const [key, counter] of counters) {
      if (counter.last !== undefined || counter.seenAt >= at - 2 * windowMs) continue
      counters.delete(key)
      // If the series returns, it counts from 0.
      for (const page of pages) page.totals.delete(key)
    }
  }

  return {
    count(samples, at) {
      // The window restarts after a long gap, and when the clock was set back.
      if (last !== undefined && (at < last.at || at - last.at > Math.max(2 * windowMs, 1))) {
        counters.clear()
        pages = []
        last = undefined
      }
      take(samples, at)
      last = { at }
      // The baseline is the newest page that is at least as old as the window.
      while (pages[1] !== undefined && pages[1].at <= at - windowMs) pages.shift()
      const newest = pages.at(-1)
      if (newest === undefined || at - newest.at >= windowMs / PAGES)
        pages.push({ at, totals: new Map([...counters].map(([key, { total }]) => [key, total])) })
    },
    increases() {
      const [base] = pages
      if (last === undefined || base === undefined || base.at >= last.at)
        throw new Error(`a window of ${windowMs} ms needs a second reading, at most ${2 * windowMs} ms after the first`)
      return [...counters]
        .filter(([, { seenAt }]) => seenAt > base.at)
        .map(([key, { sample, total }]) => ({ ...sample, value: total - (base.totals.get(key) ?? 0) }))
    },
  }
}

/** A key of the histogram that a bucket belongs to. Any other series has its own key. */
function histogramOf({ series, labels: { le: _bound, ...labels } }: TextSample): string {
  return keyOf({ series, labels })
}
