export const isAsync = true

/** An instance whose class is what is broken: its methods are inherited. */
export interface Store {
  get(key: unknown): Promise<unknown>
  set(key: unknown): Promise<unknown>
  remove(key: unknown): Promise<unknown>
}

export function make(): Store {
  class MemoryStore implements Store {
    readonly #values = new Map<unknown, unknown>()
    async get(key: unknown): Promise<unknown> {
      return Promise.resolve(this.#values.get(key))
    }
    async set(key: unknown): Promise<unknown> {
      this.#values.set(key, key)
      return Promise.resolve(key)
    }
    async remove(key: unknown): Promise<unknown> {
      return Promise.resolve(this.#values.delete(key))
    }
  }
  return new MemoryStore()
}

export function use(store: Store): (last: unknown) => unknown {
  return (last) => store.get(last)
}
