export type { CommandTarget } from './bindings/commands.js'
export { mongoCommands, type MongoClient } from './bindings/drivers/mongodb.js'
