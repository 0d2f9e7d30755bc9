import type { StorageAdapter } from './adapter.js'

/** Stores values in memory as JSON texts, so that callers share no objects with the store. */
export class MemoryAdapter implements StorageAdapter {
  readonly backend = 'memory'
  readonly #texts = new Map<string, string>()

  async init(): Promise<void> {
    await Promise.resolve()
  }
  async get(key: string): Promise<unknown> {
    return Promise.resolve(this.peek(key))
  }
  /** Reads a value at once. */
  peek(key: string): unknown {
    const text = this.#texts.get(key)
    return text === undefined ? undefined : (JSON.parse(text) as unknown)
  }
  async set(key: string, value: unknown): Promise<void> {
    this.#texts.set(key, JSON.stringify(value))
    await Promise.resolve()
  }
  async del(key: string): Promise<void> {
    this.#texts.delete(key)
    await Promise.resolve()
  }
  async keys(prefix: string): Promise<string[]> {
    return Promise.resolve([...this.#texts.keys()].filter((key) => key.startsWith(prefix)))
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}
