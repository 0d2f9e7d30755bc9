import { keyOf, type TextSample } from './prometheus-text.js'

/** How much was added to each series in the last stretch of time. */
export interface Window {
  /** Takes the counters of a page. */
  count(samples: readonly TextSample[], at: number): void
  /**
   * The increase of every series that was there within the window, summed over all readings in it.
   *
   * @throws An error in words where there is no earlier reading to look back to
   */
  increases(): readonly TextSample[]
}

interface Counter {
  readonly sample: TextSample
  /** What it stood at when last read; `undefined`: it was not on the last page. */
  last: number | undefined
  /** What was added to it since the first page. */
  total: number
  seenAt: number
}
interface Page {
  readonly at: number
  readonly totals: Map<string, number>
}

/** So many pages are kept of a window; more would make it no more exact than its two-hundredth part. */
const PAGES = 200

/**
 * Sums what counters count, as `increase` of Prometheus does: a counter that fell, or was gone from a page, began anew at 0, also when it has passed
 * its old value since. All buckets of a histogram begin anew together; one that it shows later than others counts from then on. What was counted
 * before a series went is kept as long as it lies in the window.
 *
 * A gap of more than twice the window between two readings begins the window anew: what was added in it may be from long before.
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
      // What a bucket that was not shown before holds, it may have counted long ago.
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
      // Should it come back, it counts from 0.
      for (const page of pages) page.totals.delete(key)
    }
  }

  return {
    count(samples, at) {
      // A clock that was set back makes no window, and neither does a long gap.
      if (last !== undefined && (at < last.at || at - last.at > Math.max(2 * windowMs, 1))) {
        counters.clear()
        pages = []
        last = undefined
      }
      take(samples, at)
      last = { at }
      // The newest page that is as old as the window is what it is compared with.
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

/** Tells the histogram that a bucket is of; any other series stands for itself. */
function histogramOf({ series, labels: { le: _bound, ...labels } }: TextSample): string {
  return keyOf({ series, labels })
}
