export { EXIT } from './process/exit-codes.js'
export type { Io } from './view/io.js'
export { main } from './main.js'
