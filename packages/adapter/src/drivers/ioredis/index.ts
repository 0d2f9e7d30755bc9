export type { CommandTarget } from '../../calls/commands.js'
export { bindIoredis, type IoredisClient } from './seam.js'
