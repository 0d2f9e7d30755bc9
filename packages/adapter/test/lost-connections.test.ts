import { inject } from '@chaos/core'
import { hasPrograms, ownMariaDb, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import mysql from 'mysql2'
import { once } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { failAfterCall, refuseCalls, type ErrorPreset } from '../src/calls/index.js'
import { bindMysql2 } from '../src/drivers/mysql2/index.js'
import { bindPg } from '../src/drivers/pg/index.js'
import { between } from './tcp.js'

/** What a client told, in the order in which it did. */
class Life {
  readonly told: string[] = []

  note(what: string, value?: unknown): void {
    this.told.push(
      value instanceof Error ? `${what}: ${String((value as { code?: unknown }).code)} ${value.message}` : what,
    )
  }

  listen(emitter: NodeJS.EventEmitter, name: string, ...events: readonly string[]): void {
    for (const event of events) emitter.on(event, (value: unknown) => this.note(`${name} ${event}`, value))
  }

  /** Notes how work comes out. */
  async of(work: Promise<unknown>, what: string): Promise<void> {
    await work.then(
      () => this.note(`${what} done`),
      (error: unknown) => this.note(what, error),
    )
  }
}

/** A way to end the connection of a client: really, once its statement runs, or by a fault that is in force before. */
interface Ending<Client> {
  readonly port: number
  readonly sql: string
  readonly before?: (client: Client) => Promise<unknown>
  readonly during?: () => unknown
}

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'a connection of pg that ends during a query (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let admin: pg.Client
    const address = (port: number) => ({ host: '127.0.0.1', port, user: 'root', database: 'postgres' })

    beforeAll(async () => {
      server = await ownPostgres()
      admin = new pg.Client(address(server.port))
      await admin.connect()
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await admin.end()
      await server.stop()
    })

    const onSleeper = (what: string): Promise<unknown> =>
      vi.waitFor(async () =>
        expect((await admin.query(`select ${what} from pg_stat_activity where wait_event = 'PgSleep'`)).rowCount).toBe(
          1,
        ),
      )
    // What sleeps does not notice that its client is gone.
    afterEach(async () => {
      await vi.waitFor(async () =>
        expect(
          (await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"))
            .rowCount,
        ).toBe(0),
      )
    })

    const outages = {
      'postgres/admin-shutdown': () => onSleeper('pg_terminate_backend(pid)'),
      'postgres/connection-terminated': (cut: (how: 'end') => void) => onSleeper('pid').then(() => cut('end')),
      ECONNRESET: (cut: (how: 'reset') => void) => onSleeper('pid').then(() => cut('reset')),
    } satisfies Partial<Record<ErrorPreset, unknown>>
    const presets = Object.keys(outages) as (keyof typeof outages)[]
    const faults = (error: ErrorPreset) => [
      refuseCalls({ error, methods: 'SELECT' }),
      failAfterCall({ error, methods: 'SELECT' }),
    ]

    it.each(presets)('%s: the client tells the same, in the same order', async (preset) => {
      const lifeOf = async ({ port, sql, before, during }: Ending<pg.Client>): Promise<readonly string[]> => {
        const life = new Life()
        const client = new pg.Client(address(port))
        await client.connect()
        life.listen(client, 'client', 'error', 'end')
        const ended = new Promise((resolve) => client.once('end', resolve))
        await before?.(client)
        await Promise.all([life.of(client.query(sql), 'query'), during?.(), ended])
        await life.of(client.query('select 1'), 'next query')
        return life.told
      }
      const { port, cut } = await between(server.port)
      const real = await lifeOf({ port, sql: 'select pg_sleep(60)', during: () => outages[preset](cut) })
      expect(real).toContain('client end')
      for (const fault of faults(preset))
        expect(
          await lifeOf({
            port: server.port,
            sql: 'select 1',
            before: (client) => inject(fault, bindPg(client), { limit: 1 }),
          }),
        ).toEqual(real)
    })

    it.each(presets)('%s: the pool throws the client away, and makes another', async (preset) => {
      const lifeOf = async ({ port, sql, before, during }: Ending<pg.Pool>): Promise<readonly string[]> => {
        const life = new Life()
        const pool = new pg.Pool({ ...address(port), max: 1 })
        onTestFinished(() => pool.end())
        await pool.query('select 1')
        life.listen(pool, 'pool', 'error', 'connect', 'acquire', 'remove')
        const removed = new Promise((resolve) => pool.once('remove', resolve))
        await before?.(pool)
        await Promise.all([life.of(pool.query(sql), 'query'), during?.(), removed])
        await life.of(pool.query('select 1'), 'next query')
        return [...life.told, `${pool.totalCount} in the pool`]
      }
      const { port, cut } = await between(server.port)
      const real = await lifeOf({ port, sql: 'select pg_sleep(60)', during: () => outages[preset](cut) })
      expect(real.slice(-2)).toEqual(['next query done', '1 in the pool'])
      for (const fault of faults(preset))
        expect(
          await lifeOf({
            port: server.port,
            sql: 'select 1',
            before: (pool) => inject(fault, bindPg(pool), { limit: 1 }),
          }),
        ).toEqual(real)
    })
  },
)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'a connection of mysql2 that ends during a statement (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    let admin: mysql.Connection
    const address = (port: number) => ({ host: '127.0.0.1', port, user: 'root' })

    beforeAll(async () => {
      server = await ownMariaDb()
      admin = mysql.createConnection(address(server.port))
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      admin.destroy()
      await server.stop()
    })

    // A lock says that the statement runs. The list of processes would too, but a server that is asked for it again and again can crash over its table.
    const SLEEP = "select get_lock('asleep', 60) + sleep(60)"
    const sleeper = async (): Promise<unknown> =>
      (await admin.promise().query<mysql.RowDataPacket[]>("select is_used_lock('asleep') as id"))[0][0]?.['id']
    const sleeps = (): Promise<unknown> => vi.waitFor(async () => expect(await sleeper()).toEqual(expect.any(Number)))
    // What sleeps notices only after seconds that its client is gone.
    afterEach(() =>
      vi.waitFor(async () => {
        const id = await sleeper()
        if (id !== null) await admin.promise().query('kill ?', [id])
        expect(id).toBe(null)
      }),
    )
    const outages = {
      'mysql/connection-lost': (cut: (how: 'end') => void) => sleeps().then(() => cut('end')),
      ECONNRESET: (cut: (how: 'reset') => void) => sleeps().then(() => cut('reset')),
    } satisfies Partial<Record<ErrorPreset, unknown>>
    const presets = Object.keys(outages) as (keyof typeof outages)[]
    const faults = (error: ErrorPreset) => [
      refuseCalls({ error, methods: 'SELECT' }),
      failAfterCall({ error, methods: 'SELECT' }),
    ]

    it.each(presets)('%s: the connection tells the same, in the same order', async (preset) => {
      const lifeOf = async ({ port, sql, before, during }: Ending<mysql.Connection>): Promise<readonly string[]> => {
        const life = new Life()
        const connection = mysql.createConnection(address(port))
        await once(connection, 'connect')
        life.listen(connection, 'connection', 'error', 'end')
        const closed = once((connection as unknown as { readonly stream: NodeJS.EventEmitter }).stream, 'close').catch(
          () => undefined,
        )
        await before?.(connection)
        await Promise.all([
          life.of(connection.promise().query(sql), 'query'),
          life.of(connection.promise().query('select 2'), 'behind it'),
          during?.(),
          closed,
        ])
        await life.of(connection.promise().query('select 1'), 'next query')
        return life.told
      }
      const { port, cut } = await between(server.port)
      const real = await lifeOf({ port, sql: SLEEP, during: () => outages[preset](cut) })
      for (const fault of faults(preset))
        expect(
          await lifeOf({
            port: server.port,
            sql: 'select 1',
            before: (connection) => inject(fault, bindMysql2(connection), { limit: 1 }),
          }),
        ).toEqual(real)
    })

    it.each(presets)('%s: the pool throws the connection away, and makes another', async (preset) => {
      const lifeOf = async ({ port, sql, before, during }: Ending<mysql.Pool>): Promise<readonly string[]> => {
        const life = new Life()
        const pool = mysql.createPool({ ...address(port), connectionLimit: 1 })
        onTestFinished(() => pool.promise().end())
        await pool.promise().query('select 1')
        life.listen(pool, 'pool', 'connection', 'acquire', 'release', 'enqueue')
        await before?.(pool)
        await Promise.all([life.of(pool.promise().query(sql), 'query'), during?.()])
        await life.of(pool.promise().query('select 1'), 'next query')
        return life.told
      }
      const { port, cut } = await between(server.port)
      const real = await lifeOf({ port, sql: SLEEP, during: () => outages[preset](cut) })
      expect(real).toContain('next query done')
      for (const fault of faults(preset))
        expect(
          await lifeOf({
            port: server.port,
            sql: 'select 1',
            before: (pool) => inject(fault, bindMysql2(pool), { limit: 1 }),
          }),
        ).toEqual(real)
    })
  },
)
