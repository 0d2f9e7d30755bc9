import { Redis } from 'ioredis'

export const isAsync = true

export async function make(): Promise<Redis> {
  const redis = new Redis({ host: '127.0.0.1', lazyConnect: true, retryStrategy: null })
  redis.on('error', () => undefined)
  await redis.connect()
  return redis
}

/** Reads a key that is not there. */
export function use(redis: Redis): (last: unknown) => unknown {
  return () => redis.get('chaos-bench:nothing')
}

export function dispose(redis: Redis): void {
  redis.disconnect()
}
