import type { RedisClient } from 'redis'

/** The class of a client of node-redis, which `redis` itself exports from 6 on only. */
export const redisClientClass = (one: object): typeof RedisClient =>
  Object.hasOwn(one, '_executeMulti')
    ? (one.constructor as typeof RedisClient)
    : redisClientClass(Object.getPrototypeOf(one) as object)
