export type { CommandTarget } from '../../calls/commands.js'
export { bindPg, type PgClient } from './seam.js'
