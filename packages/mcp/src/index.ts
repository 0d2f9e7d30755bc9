export { EXIT } from './shared/exit-codes.js'
export type { Io } from './commands/io.js'
export { main } from './main.js'
