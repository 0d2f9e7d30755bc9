export type { CommandTarget } from '../../calls/commands.js'
export { bindMysql2, type MysqlClient } from './seam.js'
