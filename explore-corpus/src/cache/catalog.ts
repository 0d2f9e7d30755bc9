import type { Time } from '../shared/time.js'
import type { Cache, CachedPrice, Prices } from './services.js'

/** What can be wrong with the catalog. */
export type CatalogBug =
  | 'failed-invalidation-ignored'
  | 'errors-cached'
  | 'late-read-cached'
  | 'lock-never-released'
  | 'stale-answer-renewed'

/** The services that the catalog calls. */
export interface CatalogServices {
  readonly prices: Prices
  readonly cache: Cache
}

/** How long a cached price is fresh. */
export const FRESH_MS = 100
/** How long the last known price is given without another look, while the database fails. */
const GRACE_MS = 20

/** Prices, from a cache where it has them. */
export class Catalog {
  readonly #prices: Prices
  readonly #cache: Cache
  readonly #time: Time
  readonly #bugs: ReadonlySet<CatalogBug>
  /** How often each item was changed here. */
  readonly #changes = new Map<string, number>()
  /** Items whose old price may still be in the cache. */
  readonly #suspect = new Set<string>()
  readonly #locked = new Set<string>()

  constructor({ prices, cache }: CatalogServices, time: Time, bugs: ReadonlySet<CatalogBug>) {
    this.#prices = prices
    this.#cache = cache
    this.#time = time
    this.#bugs = bugs
  }

  /** @returns The price of an item; the last known one while the database fails. `undefined`: there is no such item. */
  async price(item: string): Promise<number | undefined> {
    return this.#alone(item, async () => {
      const cached = this.#suspect.has(item) ? undefined : await this.#cache.read(item).catch(() => undefined)
      return cached !== undefined && cached.freshUntil > this.#time.now() ? cached.price : this.#load(item, cached)
    })
  }

  /** Changes the price. After it, the old one is not read any more. */
  async change(item: string, price: number): Promise<void> {
    try {
      await this.#prices.store(item, price)
    } finally {
      // The change may be made although no answer came.
      this.#changes.set(item, this.#changesOf(item) + 1)
      await this.#forget(item)
    }
  }

  async #forget(item: string): Promise<void> {
    const outdated = { price: undefined, freshUntil: 0 }
    await this.#cache
      .remove(item)
      .catch(() => this.#cache.write(item, outdated))
      .catch(() => {
        if (!this.#bugs.has('failed-invalidation-ignored')) this.#suspect.add(item)
      })
  }

  async #load(item: string, cached: CachedPrice | undefined): Promise<number | undefined> {
    const changes = this.#changesOf(item)
    const isOutdated = (): boolean => changes !== this.#changesOf(item) && !this.#bugs.has('late-read-cached')
    let price: number | undefined
    let forMs = FRESH_MS
    try {
      price = await this.#prices.load(item)
    } catch (error) {
      price = cached?.price
      if (price === undefined && !this.#bugs.has('errors-cached')) throw error
      if (price !== undefined && !this.#bugs.has('stale-answer-renewed')) forMs = GRACE_MS
    }
    return isOutdated() ? price : this.#remember(item, price, forMs)
  }

  async #remember(item: string, price: number | undefined, forMs: number): Promise<number | undefined> {
    try {
      await this.#cache.write(item, { price, freshUntil: this.#time.now() + forMs })
      this.#suspect.delete(item)
    } catch {
      // The next read loads the price again.
    }
    return price
  }

  /** One read of an item at a time: a price that is gone from the cache is loaded once. */
  async #alone<Result>(item: string, work: () => Promise<Result>): Promise<Result> {
    while (this.#locked.has(item)) await this.#time.sleep(10)
    this.#locked.add(item)
    try {
      const result = await work()
      this.#locked.delete(item)
      return result
    } catch (error) {
      if (!this.#bugs.has('lock-never-released')) this.#locked.delete(item)
      throw error
    }
  }

  #changesOf(item: string): number {
    return this.#changes.get(item) ?? 0
  }
}
