export type { CommandTarget } from '../../calls/commands.js'
export { redisCommands, type NodeRedisClient } from './seam.js'
