export type { CommandTarget } from '../../calls/commands.js'
export { bindMongodb, type MongoClient } from './seam.js'
