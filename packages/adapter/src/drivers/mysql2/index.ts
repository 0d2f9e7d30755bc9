export type { CommandTarget } from '../../calls/commands.js'
export { mysqlQueries, type MysqlClient } from './seam.js'
