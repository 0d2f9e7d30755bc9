export type { CommandTarget } from './bindings/commands.js'
export { redisCommands, type NodeRedisClient } from './bindings/drivers/node-redis.js'
