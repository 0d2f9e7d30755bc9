import { Redis } from 'ioredis'
import type { StorageAdapter } from './adapter.js'

/** Stores values in Redis. A command that cannot be sent fails at once, so that the breaker decides about waiting. */
export class RedisAdapter implements StorageAdapter {
  readonly backend = 'redis'
  readonly #redis: Redis
  readonly #namespace: string

  /** @param namespace The prefix of every key. */
  constructor(url: string, namespace = 'flappy:') {
    this.#redis = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 })
    this.#redis.on('error', () => undefined)
    this.#namespace = namespace
  }

  async init(): Promise<void> {
    await this.#redis.connect()
  }
  async get(key: string): Promise<unknown> {
    const text = await this.#redis.get(this.#namespace + key)
    return text === null ? undefined : (JSON.parse(text) as unknown)
  }
  async set(key: string, value: unknown): Promise<void> {
    await this.#redis.set(this.#namespace + key, JSON.stringify(value))
  }
  async del(key: string): Promise<void> {
    await this.#redis.del(this.#namespace + key)
  }
  async keys(prefix: string): Promise<string[]> {
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [next, keys] = await this.#redis.scan(
        cursor,
        'MATCH',
        `${escapeGlob(this.#namespace + prefix)}*`,
        'COUNT',
        500,
      )
      for (const key of keys) found.add(key.slice(this.#namespace.length))
      cursor = next
    } while (cursor !== '0')
    return [...found]
  }
  async close(): Promise<void> {
    this.#redis.disconnect()
    await Promise.resolve()
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&')
}
