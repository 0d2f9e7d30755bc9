import { Connection } from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { bindMysql2 } from '../../src/drivers/mysql2/index.js'
import { bindPg } from '../../src/drivers/pg/index.js'
import { mariadb, postgres } from './servers.js'
import type { Subjects } from './subject.js'

const connects = { methods: 'connect', writes: 0, copyWrites: 0, written: () => 0 } as const
const nothing = (): Promise<void> => Promise.resolve()

/** Connecting a client, and the checkout of a connection, which goes back. */
export const connecting: Subjects = {
  'the class pg.Client, connecting': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address } = await postgres()
      return {
        ...{ target: bindPg(pg.Client), ...connects, close: nothing },
        async operate() {
          const client = new pg.Client(address).on('error', () => undefined)
          await client.connect()
          await client.end()
        },
      }
    },
  },
  'a pool of pg, opening clients': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address } = await postgres()
      const pool = new pg.Pool({ ...address, maxUses: 1 })
      return {
        ...{ target: bindPg(pool), ...connects, close: () => pool.end() },
        operate: () => pool.connect().then((client) => client.release()),
      }
    },
  },
  'a pool of pg, handing out an idle client': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address } = await postgres()
      const pool = new pg.Pool({ ...address, max: 1, idleTimeoutMillis: 0 })
      await pool.query('select 1')
      return {
        ...{ target: bindPg(pool), ...connects, close: () => pool.end() },
        operate: () => pool.connect().then((client) => client.release()),
      }
    },
  },
  'the class Connection of mysql2, connecting': {
    needs: ['mariadbd', 'mariadb-install-db'],
    async open() {
      const { address } = await mariadb()
      return {
        ...{ target: bindMysql2(Connection), ...connects, close: nothing },
        operate: () => mysql.createConnection(address).then((connection) => connection.end()),
      }
    },
  },
  'a pool of mysql2, opening connections': {
    needs: ['mariadbd', 'mariadb-install-db'],
    async open() {
      const { address } = await mariadb()
      const pool = mysql.createPool(address)
      return {
        ...{ target: bindMysql2(pool), ...connects, close: () => pool.end() },
        operate: () => pool.getConnection().then((connection) => connection.destroy()),
      }
    },
  },
  'a pool of mysql2, handing out a free connection': {
    needs: ['mariadbd', 'mariadb-install-db'],
    async open() {
      const { address } = await mariadb()
      const pool = mysql.createPool({ ...address, connectionLimit: 1 })
      await pool.query('select 1')
      return {
        ...{ target: bindMysql2(pool), ...connects, close: () => pool.end() },
        operate: () => pool.getConnection().then((connection) => connection.release()),
      }
    },
  },
}
