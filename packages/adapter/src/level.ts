export type { CommandTarget } from './bindings/commands.js'
export { levelOperations, type LevelDatabase } from './bindings/drivers/level.js'
