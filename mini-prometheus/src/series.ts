/** One value of one series at one time. */
interface Point {
  /** The time, in ms since the epoch. */
  readonly at: number
  readonly value: number
}

/** A series: its labels, including `__name__`, and its points, oldest first. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly points: readonly Point[]
}

/** A value with labels: an element of an instant vector. */
export interface Element {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A sample of a metrics page. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A series in the store. As in Prometheus, a series that is no longer exported is stale at once. */
interface Stored {
  readonly labels: Readonly<Record<string, string>>
  points: Point[]
  lastScrape: number
}

/** An in-memory store of recent series. */
export class SeriesStore {
  readonly #series = new Map<string, Stored>()
  readonly #keepMs: number
  #scrapes = 0

  /** @param keepMs How long points are kept, in ms. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  /** Adds the samples of one scrape. Series without a sample in this scrape become stale. */
  add(at: number, found: readonly Sample[]): void {
    this.#scrapes += 1
    for (const { name, labels, value } of found) {
      const all = { __name__: name, ...labels }
      const key = keyOf(all)
      const stored: Stored = this.#series.get(key) ?? { labels: all, points: [], lastScrape: 0 }
      // If a page contains a series twice, the first sample counts, as in Prometheus.
      if (stored.lastScrape === this.#scrapes) continue
      stored.points.push({ at, value })
      stored.lastScrape = this.#scrapes
      this.#series.set(key, stored)
    }
    for (const [key, stored] of this.#series) {
      const first = stored.points.findIndex((point) => point.at >= at - this.#keepMs)
      if (first === -1) this.#series.delete(key)
      else if (first > 0) stored.points.splice(0, first)
    }
  }

  /** The last points of the matching series that are not stale. */
  instant(matches: (labels: Readonly<Record<string, string>>) => boolean): Element[] {
    const elements: Element[] = []
    for (const { labels, points, lastScrape } of this.#series.values()) {
      const last = points.at(-1)
      if (last !== undefined && lastScrape === this.#scrapes && matches(labels))
        elements.push({ labels, value: last.value })
    }
    return elements
  }

  /** The points of the matching series after `from` and up to and including `to`. */
  range(matches: (labels: Readonly<Record<string, string>>) => boolean, from: number, to: number): Series[] {
    const found: Series[] = []
    for (const { labels, points } of this.#series.values()) {
      if (!matches(labels)) continue
      const inside = points.filter(({ at }) => at > from && at <= to)
      if (inside.length > 0) found.push({ labels, points: inside })
    }
    return found
  }
}

/** A key that is equal for equal labels. */
export function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
