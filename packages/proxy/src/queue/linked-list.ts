/** An item of a {@link LinkedList}, which alone changes these. */
export interface LinkedItem<T> {
  previous: T | undefined
  next: T | undefined
}

/**
 * Items in the order in which they came, each of which can leave at once.
 *
 * A `Set` whose items come and go all the time keeps those that have left: its table is replaced again and again, and each
 * table points to the next one. So one that the garbage collector takes for old keeps all later ones, and their items, until
 * all garbage is collected. An item of this list that has left points nowhere.
 */
export class LinkedList<T extends LinkedItem<T>> {
  #first: T | undefined
  #last: T | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#first
  }

  /** Puts an item at the end. It must be in no list. */
  add(item: T): void {
    item.previous = this.#last
    if (this.#last === undefined) this.#first = item
    else this.#last.next = item
    this.#last = item
    this.#length += 1
  }

  /** Takes an item out, which must be in this list. */
  remove(item: T): void {
    const { previous, next } = item
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    item.previous = undefined
    item.next = undefined
    this.#length -= 1
  }

  /** The items as they are now. */
  toArray(): readonly T[] {
    const items: T[] = []
    for (let item = this.#first; item !== undefined; item = item.next) items.push(item)
    return items
  }
}
