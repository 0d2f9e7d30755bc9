import type { Config } from '../config.js'
import type { StorageAdapter } from './adapter.js'
import { LevelAdapter } from './level-adapter.js'
import { MemoryAdapter } from './memory-adapter.js'
import { RedisAdapter } from './redis-adapter.js'
import { ResilientStorage } from './resilient-storage.js'

/** Redis when a URL is configured, else Level when a path is, else memory. */
function adapterFor({ redisUrl, levelPath }: Pick<Config, 'redisUrl' | 'levelPath'>): StorageAdapter {
  if (redisUrl !== undefined) return new RedisAdapter(redisUrl)
  return levelPath === undefined ? new MemoryAdapter() : new LevelAdapter(levelPath)
}

export async function openStorage(
  config: Pick<Config, 'redisUrl' | 'levelPath' | 'storageFallback'>,
): Promise<ResilientStorage> {
  const storage = new ResilientStorage(adapterFor(config), { hasFallback: config.storageFallback })
  await storage.init()
  return storage
}
