export type { CommandTarget } from '../../calls/commands.js'
export { bindLevel, type LevelDatabase } from './seam.js'
