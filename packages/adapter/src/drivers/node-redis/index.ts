export type { CommandTarget } from '../../calls/commands.js'
export { bindNodeRedis, type NodeRedisClient } from './seam.js'
