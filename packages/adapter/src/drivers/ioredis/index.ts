export type { CommandTarget } from '../../calls/commands.js'
export { redisCommands, type IoredisClient } from './seam.js'
