/** A queue whose `shift` returns the least item. Each step takes logarithmic time. */
export class Heap<T> {
  readonly #isLess: (one: T, other: T) => boolean
  #items: T[] = []

  constructor(isLess: (one: T, other: T) => boolean) {
    this.#isLess = isLess
  }

  get length(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isLess(item, items[parent] as T)) break
      items[at] = items[parent] as T
      at = parent
    }
    items[at] = item
  }

  shift(): T | undefined {
    const [first] = this.#items
    const last = this.#items.pop()
    if (last !== undefined && this.#items.length > 0) this.#sink(last)
    return first
  }

  /** Takes out all items that pass a test, and returns them in no particular order. */
  take(passes: (item: T) => boolean): readonly T[] {
    const [taken, kept]: [T[], T[]] = [[], []]
    for (const item of this.#items) (passes(item) ? taken : kept).push(item)
    this.#items = []
    for (const item of kept) this.push(item)
    return taken
  }

  /** Puts an item in the place of the first one, and moves it to where it belongs. */
  #sink(item: T): void {
    const items = this.#items
    let at = 0
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && this.#isLess(items[child + 1] as T, items[child] as T)) child += 1
      if (!this.#isLess(items[child] as T, item)) break
      items[at] = items[child] as T
      at = child
    }
    items[at] = item
  }
}
