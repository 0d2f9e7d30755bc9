export type { CommandTarget } from './bindings/commands.js'
export { mysqlQueries, type MysqlClient } from './bindings/drivers/mysql2.js'
