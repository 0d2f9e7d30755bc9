export type { CommandTarget } from '../../calls/commands.js'
export { mongoCommands, type MongoClient } from './seam.js'
