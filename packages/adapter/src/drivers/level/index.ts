export type { CommandTarget } from '../../calls/commands.js'
export { levelOperations, type LevelDatabase } from './seam.js'
