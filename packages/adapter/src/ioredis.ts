export type { CommandTarget } from './bindings/commands.js'
export { redisCommands, type IoredisClient } from './bindings/drivers/ioredis.js'
