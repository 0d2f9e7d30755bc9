import { Level } from 'level'
import type { StorageAdapter } from './adapter.js'

/** Stores values in a Level database, which is a folder on disk. */
export class LevelAdapter implements StorageAdapter {
  readonly backend = 'level'
  readonly #db: Level<string, unknown>

  constructor(path: string) {
    this.#db = new Level<string, unknown>(path, { valueEncoding: 'json' })
  }

  async init(): Promise<void> {
    await this.#db.open()
  }
  async get(key: string): Promise<unknown> {
    return this.#db.get(key)
  }
  async set(key: string, value: unknown): Promise<void> {
    await this.#db.put(key, value)
  }
  async del(key: string): Promise<void> {
    await this.#db.del(key)
  }
  async keys(prefix: string): Promise<string[]> {
    return this.#db.keys({ gte: prefix, lt: `${prefix}\uffff` }).all()
  }
  async close(): Promise<void> {
    await this.#db.close()
  }
}
