import type { StorageAdapter } from './adapter.js'
import { LevelAdapter } from './level-adapter.js'
import { MemoryAdapter } from './memory-adapter.js'
import { RedisAdapter } from './redis-adapter.js'
import type { Time } from '../time/time.js'
import { ResilientStorage } from './resilient-storage.js'

/** The configuration of the storage. */
export interface StorageConfig {
  /** The URL of Redis, which is used if this is set. */
  readonly redisUrl: string | undefined
  /** The path of a Level database, which is used if this is set and `redisUrl` is not. Otherwise memory is used. */
  readonly levelPath: string | undefined
  /** Whether memory serves while the breaker is open. Off only in tests, which prove that its absence is noticed. */
  readonly storageFallback: boolean
}

/** Redis if a URL is configured, else Level if a path is, else memory. */
function adapterFor({ redisUrl, levelPath }: StorageConfig): StorageAdapter {
  if (redisUrl !== undefined) return new RedisAdapter(redisUrl)
  return levelPath === undefined ? new MemoryAdapter() : new LevelAdapter(levelPath)
}

/** Opens the storage. @param backend The adapter to use instead of the configured one. */
export async function openStorage(
  config: StorageConfig,
  time: Time,
  backend: StorageAdapter = adapterFor(config),
): Promise<ResilientStorage> {
  const storage = new ResilientStorage(backend, { hasFallback: config.storageFallback, time })
  await storage.init()
  return storage
}
