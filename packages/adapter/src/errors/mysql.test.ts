import mysql, { type Connection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { hasPrograms, ownMariaDb, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { expectFidelity } from '../../test/fidelity.js'
import { installedVersion } from '../../test/installed-version.js'
import { rejection } from '../../test/rejection.js'
import { mysqlErrors } from './mysql.js'

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'errors of MariaDB, beside real ones (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    let root: Connection
    let beside: string

    beforeAll(async () => {
      server = await ownMariaDb('--max-connections=10', '--innodb-lock-wait-timeout=1')
      root = await mysql.createConnection({
        host: '127.0.0.1',
        port: server.port,
        user: 'root',
        multipleStatements: true,
      })
      await root.query(
        "create database app; create table app.accounts (id int primary key, balance int) engine=innodb; insert into app.accounts values (1, 10), (2, 10); create user app@'%'; grant select, insert, update on app.* to app@'%'",
      )
      const [[row]] = (await root.query('select version() as version')) as unknown as [[{ version: string }]]
      beside = `MariaDB ${row.version.split('-')[0] ?? ''}, ${installedVersion('mysql2')}`
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      root.destroy()
      await server.stop()
    })

    async function connect(): Promise<Connection> {
      const connection = await mysql.createConnection({
        host: '127.0.0.1',
        port: server.port,
        user: 'app',
        database: 'app',
      })
      onTestFinished(() => connection.destroy())
      return connection
    }

    function compare(preset: keyof typeof mysqlErrors, real: Error, sql?: string): void {
      expectFidelity({
        preset,
        beside,
        real,
        injected: mysqlErrors[preset]({ host: '127.0.0.1', port: server.port, method: 'query', args: [sql] }),
      })
    }

    it('mysql/lock-wait, from a row that another transaction holds', async () => {
      const [holder, waiter] = [await connect(), await connect()]
      await holder.beginTransaction()
      await holder.query('update accounts set balance = 0 where id = 1')
      const sql = 'update accounts set balance = 1 where id = 1'
      compare('mysql/lock-wait', await rejection(waiter.query(sql)), sql)
    })

    it('mysql/deadlock, from two transactions that wait for each other', async () => {
      const [first, second] = [await connect(), await connect()]
      for (const [one, id] of [
        [first, 1],
        [second, 2],
      ] as const) {
        await one.query('set innodb_lock_wait_timeout = 50')
        await one.beginTransaction()
        await one.query('update accounts set balance = 0 where id = ?', [id])
      }
      const sql = 'update accounts set balance = balance + 1'
      const outcomes = await Promise.allSettled([first.query(sql), second.query(sql)])
      const lost = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
      expect(lost).toHaveLength(1)
      compare('mysql/deadlock', lost[0]?.reason as Error, sql)
    })

    it('mysql/read-only, from a server that was made read-only', async () => {
      const one = await connect()
      await root.query('set global read_only = 1')
      onTestFinished(() => root.query('set global read_only = 0').then(() => undefined))
      const sql = 'insert into accounts values (3, 1)'
      compare('mysql/read-only', await rejection(one.query(sql)), sql)
    })

    it('mysql/query-timeout, from a statement that takes longer than it may', async () => {
      const one = await connect()
      compare('mysql/query-timeout', await rejection(one.query({ sql: 'select sleep(1)', timeout: 20 })))
    })

    it('mysql/connection-lost, from a connection that an administrator kills', async () => {
      const one = await connect()
      const query = rejection(one.query('select sleep(60)'))
      await root.query(`kill ${one.threadId}`)
      compare('mysql/connection-lost', await query)
    })

    // The last: the server frees the places a moment after they were given back.
    it('mysql/too-many-connections, from one more connection than the server takes', async () => {
      let refused: Error | undefined
      while (refused === undefined)
        refused = await connect().then(
          () => undefined,
          (error: unknown) => error as Error,
        )
      compare('mysql/too-many-connections', refused)
    })
  },
)
