/** The deepest level of content that is damaged. */
const MAX_LEVEL = 64
/** The most values of one content that are visited. */
const MAX_PARTS = 100_000
/** The most bytes of one content that are copied. */
const MAX_BYTES = 268_435_456
/** The most holes of lists that are passed one by one. */
const MAX_HOLES = 1_000_000

/**
 * A walk over content, in bounded time whatever the content holds: it visits no value twice, at most 100,000 values and 64
 * levels, and copies at most 256 MiB of bytes.
 */
export class ContentWalk {
  readonly #seen = new Set<unknown>()
  #parts = 0
  #bytes = 0
  #holes = 0

  /** Whether a value may be visited. False for an object that the walk has visited, which may contain itself. */
  enters(value: unknown, level: number): boolean {
    this.#parts += 1
    if (level > MAX_LEVEL || this.#parts > MAX_PARTS) return false
    if (typeof value !== 'object' || value === null) return true
    if (this.#seen.has(value)) return false
    this.#seen.add(value)
    return true
  }

  /** Whether bytes may be copied. Counts them if they may. */
  copies(bytes: number): boolean {
    if (this.#bytes + bytes > MAX_BYTES) return false
    this.#bytes += bytes
    return true
  }

  /**
   * Yields the indices of a list's items, all around from one of them, without its holes. In a long run of holes it reads
   * the keys of the list: a list of a thousand million places may hold two items.
   */
  *indicesOf(list: readonly unknown[], start: number): Generator<number> {
    const { length } = list
    for (let step = 0; step < length; step += 1) {
      const index = (start + step) % length
      if (index in list) yield index
      else if ((this.#holes += 1) > MAX_HOLES) {
        yield* itemsFrom(list, index)
        return
      }
    }
  }
}

/** The indices of the items, all around from `start`. */
function itemsFrom(list: readonly unknown[], start: number): number[] {
  const items = Object.keys(list)
    .map(Number)
    .filter((key) => Number.isInteger(key) && key >= 0 && key < list.length)
  const first = items.findIndex((item) => item >= start)
  return first === -1 ? items : [...items.slice(first), ...items.slice(0, first)]
}
