import { injectedBy, withFault } from '@chaos/core'
import { hasPrograms, ownMariaDb, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import mariadb from 'mariadb'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../test/describe-error.js'
import { rejection } from '../../test/rejection.js'
import { refuseCalls, type RefuseCallsOptions } from '../calls/faults/refuse-calls.js'

/** What an error tells, without what another version of the server may tell from another place in its source. */
function told(error: Error): unknown {
  const { values, ...rest } = describeError(error)
  return { ...rest, values: { ...values, line: undefined } }
}

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'errors of postgres.js, beside real ones (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    beforeAll(async () => void (server = await ownPostgres('max_connections=20')), SERVER_TIMEOUT_MS)
    afterAll(() => server.stop())

    const connect = (): postgres.Sql => {
      const sql = postgres({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres', max: 1 })
      onTestFinished(() => sql.end({ timeout: 0 }))
      return sql
    }
    const compare = async (sql: postgres.Sql, error: RefuseCallsOptions['error'], statement: string, real: Error) => {
      await withFault(refuseCalls({ methods: 'unsafe', error }), sql, async () => {
        const injected = await rejection(sql.unsafe(statement))
        expect(told(injected)).toEqual(told(real))
        expect(injected).toBeInstanceOf(real.constructor)
        expect(injectedBy(injected)).toBe('adapter/refuse-calls')
      })
    }

    it('postgres/statement-timeout is a PostgresError with every field', async () => {
      const sql = connect()
      await sql.unsafe('set statement_timeout = 20')
      const statement = 'select pg_sleep(60)'
      const real = await rejection(sql.unsafe(statement))
      expect(real).toBeInstanceOf(sql.PostgresError)
      await compare(sql, 'postgres/statement-timeout', statement, real)
    })

    it('postgres/read-only too', async () => {
      const sql = connect()
      await sql.unsafe('create table if not exists rows (id int)')
      await sql.unsafe('set default_transaction_read_only = on')
      const statement = 'insert into rows values (1)'
      await compare(sql, 'postgres/read-only', statement, await rejection(sql.unsafe(statement)))
    })

    it('postgres/admin-shutdown is the error of a closed connection', async () => {
      const [sql, admin] = [connect(), connect()]
      const statement = 'select pg_sleep(60)'
      const real = rejection(sql.unsafe(statement))
      const end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
      await vi.waitFor(async () => expect((await admin.unsafe(end)).count).toBe(1))
      await compare(sql, 'postgres/admin-shutdown', statement, await real)
      await compare(sql, 'postgres/connection-terminated', statement, await real)
    })
  },
)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'errors of mariadb, beside real ones (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    beforeAll(
      async () => void (server = await ownMariaDb('--innodb-lock-wait-timeout=1', '--max-connections=10')),
      SERVER_TIMEOUT_MS,
    )
    afterAll(() => server.stop())

    const connect = async (): Promise<mariadb.Connection> => {
      const connection = await mariadb.createConnection({ host: '127.0.0.1', port: server.port, user: 'root' })
      connection.on('error', () => undefined)
      onTestFinished(() => connection.destroy())
      return connection
    }
    const compare = async (
      connection: mariadb.Connection,
      error: RefuseCallsOptions['error'],
      args: readonly [string, unknown[]?],
      real: Error,
    ): Promise<void> =>
      withFault(refuseCalls({ methods: 'query', error }), connection, async () => {
        const injected = await rejection(connection.query(...args))
        expect(told(injected)).toEqual(told(real))
        expect(injected).toBeInstanceOf(mariadb.SqlError)
      })

    it('mysql/lock-wait is a SqlError that names its connection, statement and parameters', async () => {
      const [holder, waiter] = [await connect(), await connect()]
      await holder.query('create database if not exists test')
      await holder.query('create or replace table test.t (id int primary key, name text) engine=innodb')
      await holder.query("insert into test.t values (1, 'a')")
      await holder.beginTransaction()
      await holder.query("update test.t set name = 'b'")
      const args = ['update test.t set name = ? where id = ?', ['c', 1]] as const
      const real = await rejection(waiter.query(args[0], args[1]))
      await compare(waiter, 'mysql/lock-wait', [args[0], [...args[1]]], real)
    })

    it('mysql/query-timeout comes from the server', async () => {
      const one = await connect()
      const real = await rejection(one.query({ sql: 'select sleep(1)', timeout: 20 }))
      await compare(one, 'mysql/query-timeout', ['select sleep(1)'], real)
    })

    it('mysql/connection-lost is the error of a closed socket', async () => {
      const [one, admin] = [await connect(), await connect()]
      const query = rejection(one.query('select sleep(60)'))
      await admin.query(`kill ${one.threadId}`)
      await compare(one, 'mysql/connection-lost', ['select sleep(60)'], await query)
    })
  },
)
