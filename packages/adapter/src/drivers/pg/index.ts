export type { CommandTarget } from '../../calls/commands.js'
export { pgQueries, type PgClient } from './seam.js'
