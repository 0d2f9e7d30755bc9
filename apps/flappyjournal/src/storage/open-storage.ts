import type { StorageAdapter } from './adapter.js'
import { LevelAdapter } from './level-adapter.js'
import { MemoryAdapter } from './memory-adapter.js'
import { RedisAdapter } from './redis-adapter.js'
import { ResilientStorage } from './resilient-storage.js'

/** Where entries are kept. */
export interface StorageConfig {
  /** Redis is used when this is set. */
  readonly redisUrl: string | undefined
  /** Else Level, when this is set; else memory. */
  readonly levelPath: string | undefined
  /** Off only in tests that prove that its absence is noticed. */
  readonly storageFallback: boolean
}

/** Redis when a URL is configured, else Level when a path is, else memory. */
function adapterFor({ redisUrl, levelPath }: StorageConfig): StorageAdapter {
  if (redisUrl !== undefined) return new RedisAdapter(redisUrl)
  return levelPath === undefined ? new MemoryAdapter() : new LevelAdapter(levelPath)
}

export async function openStorage(config: StorageConfig): Promise<ResilientStorage> {
  const storage = new ResilientStorage(adapterFor(config), { hasFallback: config.storageFallback })
  await storage.init()
  return storage
}
