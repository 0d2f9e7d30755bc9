import { reply } from '../shared/reply.js'

/** The database of prices. */
export class Prices {
  readonly #prices = new Map<string, number>()

  async load(item: string): Promise<number | undefined> {
    const price = this.#prices.get(item)
    await reply()
    return price
  }

  async store(item: string, price: number): Promise<void> {
    this.set(item, price)
    await reply()
  }

  /** A change by another service. */
  set(item: string, price: number): void {
    this.#prices.set(item, price)
  }

  reset(): void {
    this.#prices.clear()
  }
}

/** What the cache holds of an item. */
export interface CachedPrice {
  /** `undefined`: there is no such item. */
  readonly price: number | undefined
  readonly freshUntil: number
}

/** A cache. */
export class Cache {
  readonly #entries = new Map<string, CachedPrice>()

  async read(item: string): Promise<CachedPrice | undefined> {
    const entry = this.#entries.get(item)
    await reply()
    return entry
  }

  async write(item: string, entry: CachedPrice): Promise<void> {
    this.#entries.set(item, entry)
    await reply()
  }

  async remove(item: string): Promise<void> {
    this.#entries.delete(item)
    await reply()
  }

  reset(): void {
    this.#entries.clear()
  }
}
