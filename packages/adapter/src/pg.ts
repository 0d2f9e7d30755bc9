export type { CommandTarget } from './bindings/commands.js'
export { pgQueries, type PgClient } from './bindings/drivers/pg.js'
