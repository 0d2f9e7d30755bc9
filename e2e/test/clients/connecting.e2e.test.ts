import { hangCalls } from '@chaos/adapter'
import { bindMysql2 } from '@chaos/adapter/mysql2'
import { bindPg } from '@chaos/adapter/pg'
import { withFault, type Fault } from '@chaos/core'
import knex, { type Knex } from 'knex'
import { Connection } from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { endOfCall } from '../../src/end-of-call.js'
import { relayTo } from '../../src/mute-relay.js'
import { expectTable } from '../../src/page-table.js'

/** The limit of the drivers for connecting, and the timeout of knex, in ms. */
const [LIMIT_MS, KNEX_MS] = [200, 100]

/** A client that is ready before the outage. Its limits are short in health too: on a machine that stalls it may need more than one try. */
interface Ready {
  readonly target: object
  readonly call: () => Promise<unknown>
}

interface Kind {
  readonly name: string
  readonly limit: string
  readonly port: number
  readonly open: (port: number) => Promise<Ready> | Ready
}

const postgres = (port: number) => ({
  ...{ host: '127.0.0.1', port, user: 'postgres', database: 'test', connectionTimeoutMillis: LIMIT_MS },
})
const mariadb = (port: number) => ({
  ...{ host: '127.0.0.1', port, user: 'root', database: 'test', connectTimeout: LIMIT_MS },
})

function pgPool(port: number): pg.Pool {
  const pool = new pg.Pool({ ...postgres(port), max: 1 }).on('error', () => undefined)
  onTestFinished(() => void pool.end())
  return pool
}

function mysqlPool(port: number, options: mysql.PoolOptions): mysql.Pool {
  const pool = mysql.createPool({ ...mariadb(port), ...options })
  onTestFinished(() => void pool.end().catch(() => undefined))
  return pool
}

/** A knex with one connection, which is open, and the call of a query that it cancels after a timeout. */
async function cancelling(config: Knex.Config, target: object): Promise<Ready> {
  const log = { warn: () => undefined, error: () => undefined }
  const db = knex({ ...config, pool: { min: 0, max: 1 }, log })
  onTestFinished(() => void db.destroy())
  await vi.waitFor(() => db.raw('select 1'))
  return { target, call: () => db.raw('select 2').timeout(KNEX_MS, { cancel: true }).then() }
}

const kinds: readonly Kind[] = [
  {
    name: 'pg, `client.connect`',
    limit: '`connectionTimeoutMillis`',
    port: 5432,
    open(port) {
      const client = new pg.Client(postgres(port)).on('error', () => undefined)
      onTestFinished(() => void client.end())
      return { target: bindPg(pg.Client), call: () => client.connect() }
    },
  },
  {
    name: 'pg, `pool.connect`, no client yet',
    limit: '`connectionTimeoutMillis`',
    port: 5432,
    open(port) {
      const pool = pgPool(port)
      return { target: bindPg(pool), call: () => pool.connect().then((client) => client.release()) }
    },
  },
  {
    name: 'pg, `pool.query`, no client yet',
    limit: '`connectionTimeoutMillis`',
    port: 5432,
    open(port) {
      const pool = pgPool(port)
      return { target: bindPg(pool), call: () => pool.query('select 1') }
    },
  },
  {
    name: 'pg, `pool.connect`, all clients in use',
    limit: '`connectionTimeoutMillis`',
    port: 5432,
    async open(port) {
      const pool = pgPool(port)
      const taken = await vi.waitFor(() => pool.connect())
      onTestFinished(() => taken.release())
      return { target: bindPg(pool), call: () => pool.connect() }
    },
  },
  {
    name: 'knex over pg, `timeout` with `cancel`',
    limit: '`connectionTimeoutMillis`',
    port: 5432,
    open: (port) => cancelling({ client: 'pg', connection: postgres(port) }, bindPg(pg.Client)),
  },
  {
    name: 'knex over pg, `timeout` with `cancel`',
    limit: 'none',
    port: 5432,
    open: (port) =>
      cancelling({ client: 'pg', connection: { ...postgres(port), connectionTimeoutMillis: 0 } }, bindPg(pg.Client)),
  },
  {
    name: 'mysql2, `createConnection`',
    limit: '`connectTimeout`',
    port: 3306,
    open: (port) => ({
      target: bindMysql2(Connection),
      call: () => mysql.createConnection(mariadb(port)).then((connection) => connection.destroy()),
    }),
  },
  {
    name: 'mysql2, `pool.query`, no connection yet',
    limit: '`connectTimeout`',
    port: 3306,
    open(port) {
      const pool = mysqlPool(port, {})
      return { target: bindMysql2(pool), call: () => pool.query('select 1') }
    },
  },
  {
    name: 'mysql2, second `getConnection`',
    limit: '`waitForConnections: false`',
    port: 3306,
    open(port) {
      const pool = mysqlPool(port, { connectionLimit: 1, waitForConnections: false })
      return { target: bindMysql2(pool), call: () => lastOf(2, pool) }
    },
  },
  {
    name: 'mysql2, third `getConnection`',
    limit: '`queueLimit: 1`',
    port: 3306,
    open(port) {
      const pool = mysqlPool(port, { connectionLimit: 1, queueLimit: 1 })
      return { target: bindMysql2(pool), call: () => lastOf(3, pool) }
    },
  },
  {
    name: 'knex over mysql2, `timeout` with `cancel`',
    limit: '`connectTimeout`',
    port: 3306,
    open: (port) => cancelling({ client: 'mysql2', connection: mariadb(port) }, bindMysql2(Connection)),
  },
]

/** The last of several requests for a connection. The others get theirs, or fail, later. */
function lastOf(requests: number, pool: mysql.Pool): Promise<unknown> {
  const taken = Array.from({ length: requests }, async () => (await pool.getConnection()).release())
  for (const one of taken) one.catch(() => undefined)
  return taken.at(-1) as Promise<unknown>
}

const endOf = (work: Promise<unknown>): Promise<string> => endOfCall(work, 3 * LIMIT_MS)

async function rowOf({ name, limit, port, open }: Kind): Promise<readonly string[]> {
  const relay = await relayTo(port)
  const outage = await open(relay.port)
  relay.isMute = true
  const real = await endOf(outage.call())
  const under = async (fault: Fault): Promise<string> => {
    const { target, call } = await open(port)
    return withFault(fault as Fault<object>, target, () => endOf(call()))
  }
  return [name, limit, real, await under(hangCalls()), await under(hangCalls({ methods: '*' }))]
}

it('ends a call that needs a connection as before a mute server', async () => {
  const rows: (readonly string[])[] = []
  // One at a time: a fault on a class affects all its clients.
  for (const kind of kinds) rows.push(await rowOf(kind))
  for (const [name, limit, real, , everything] of rows) expect(everything, `${name}, ${limit}`).toBe(real)
  expectTable('docs/seams.md', 'connecting', [
    ['client', 'limit', 'mute server', '`hangCalls`', "`hangCalls`, `methods: '*'`"],
    ...rows,
  ])
})
