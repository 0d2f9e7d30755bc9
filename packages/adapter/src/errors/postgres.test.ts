import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasPrograms, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { anyNumbers, expectFidelity } from '../../test/fidelity.js'
import { installedVersion } from '../../test/installed-version.js'
import { rejection } from '../../test/rejection.js'
import { postgresErrors } from './postgres.js'

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'errors of PostgreSQL, beside real ones (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let version: string

    beforeAll(async () => {
      server = await ownPostgres('max_connections=20', 'deadlock_timeout=50ms')
      const client = new pg.Client(address())
      await client.connect()
      await client.query(
        'create table accounts (id int primary key, balance int); insert into accounts values (1, 10), (2, 10)',
      )
      const { rows } = await client.query<{ server_version: string }>('show server_version')
      version = rows[0]?.server_version.split(' ')[0] ?? ''
      await client.end()
    }, SERVER_TIMEOUT_MS)
    afterAll(() => server.stop())

    const address = () => ({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' })

    async function connect(): Promise<pg.Client> {
      const client = new pg.Client(address())
      client.on('error', () => undefined)
      await client.connect()
      onTestFinished(() => client.end())
      return client
    }

    function compare(preset: keyof typeof postgresErrors, real: Error, alike: readonly string[] = []): void {
      // Another version of the server says the same from another line of its source.
      const [tested, isTheVersion] = [`PostgreSQL ${version}, ${installedVersion('pg')}`, version === '15.20']
      expectFidelity({
        preset,
        beside: tested,
        real,
        injected: postgresErrors[preset](),
        alike: Object.fromEntries(
          [...alike, ...(isTheVersion ? [] : ['line', 'length'])].map((field) => [field, anyNumbers]),
        ),
      })
    }

    it('postgres/deadlock, from two transactions that wait for each other', async () => {
      const [first, second] = [await connect(), await connect()]
      for (const [one, id] of [
        [first, 1],
        [second, 2],
      ] as const) {
        await one.query('begin')
        await one.query('update accounts set balance = 0 where id = $1', [id])
      }
      const outcomes = await Promise.allSettled([
        first.query('update accounts set balance = 0 where id = 2'),
        second.query('update accounts set balance = 0 where id = 1'),
      ])
      const lost = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
      expect(lost).toHaveLength(1)
      const real = lost[0]?.reason as pg.DatabaseError
      expect(lengthOfFields(real)).toBe(real.length)
      expect(lengthOfFields(postgresErrors['postgres/deadlock']() as pg.DatabaseError)).toBe(
        (postgresErrors['postgres/deadlock']() as pg.DatabaseError).length,
      )
      compare('postgres/deadlock', real, ['length', 'detail', 'where'])
    })

    it('postgres/serialization-failure, from a row that changed under a repeatable read', async () => {
      const [first, second] = [await connect(), await connect()]
      await first.query('begin isolation level repeatable read')
      await first.query('select * from accounts')
      await second.query('update accounts set balance = 7 where id = 1')
      compare(
        'postgres/serialization-failure',
        await rejection(first.query('update accounts set balance = 8 where id = 1')),
      )
    })

    it('postgres/statement-timeout, from a statement that sleeps longer', async () => {
      const one = await connect()
      await one.query('set statement_timeout = 20')
      compare('postgres/statement-timeout', await rejection(one.query('select pg_sleep(60)')))
    })

    it('postgres/read-only, from writing in a read-only transaction', async () => {
      const one = await connect()
      await one.query('begin read only')
      compare('postgres/read-only', await rejection(one.query('insert into accounts values (3, 1)')))
    })

    it('postgres/admin-shutdown and postgres/connection-terminated, from a backend that an administrator ends', async () => {
      const [victim, admin] = [await connect(), await connect()]
      const connectionError = new Promise<Error>((resolve) => void victim.once('error', resolve))
      const query = rejection(victim.query('select pg_sleep(60)'))
      const terminate = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
      await vi.waitFor(async () => expect((await admin.query(terminate)).rowCount).toBe(1))
      compare('postgres/admin-shutdown', await query)
      compare('postgres/connection-terminated', await connectionError)
    })

    it('postgres/query-timeout, from a query that takes longer than its client waits', async () => {
      const one = await connect()
      compare(
        'postgres/query-timeout',
        await rejection(one.query({ text: 'select pg_sleep(1)', query_timeout: 20 } as pg.QueryConfig)),
      )
    })

    it('postgres/pool-timeout, from a pool whose only client is taken', async () => {
      const pool = new pg.Pool({ ...address(), max: 1 })
      const taken = await pool.connect()
      onTestFinished(async () => {
        taken.release()
        await pool.end()
      })
      pool.options.connectionTimeoutMillis = 20
      compare('postgres/pool-timeout', await rejection(pool.connect()))
    })

    // The last: the server frees the places a moment after they were given back.
    it('postgres/too-many-connections, from one more connection than the server takes', async () => {
      let refused: Error | undefined
      while (refused === undefined)
        refused = await connect().then(
          () => undefined,
          (error: unknown) => error as Error,
        )
      compare('postgres/too-many-connections', refused)
    })
  },
)

/** Bytes of the ErrorResponse that has these fields. */
function lengthOfFields({
  severity,
  code,
  message,
  detail,
  hint,
  where,
  file,
  line,
  routine,
}: pg.DatabaseError): number {
  const texts = [severity, severity, code, message, detail, hint, where, file, line, routine].filter(
    (text) => text !== undefined,
  )
  return 5 + texts.reduce((bytes, text) => bytes + 2 + Buffer.byteLength(text), 0)
}
