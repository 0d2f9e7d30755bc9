import assert from 'node:assert/strict'
import { failAfterCall, refuseCalls } from '@chaos/adapter'
import { bindPg } from '@chaos/adapter/pg'
import { ownPostgres } from '@chaos/test-servers'
import { explore } from '@chaos/test'
import pg from 'pg'
import Pool from 'pg-pool'
import { settled, shared, type Subject } from './subject.js'

const subjectOf = (remedy?: { readonly remedy: string }): Subject => ({
  name: 'pg-pool',
  ...remedy,
  promise:
    'A confirmed write is there, a transaction is stored as a whole or not at all, and the pool has all of its connections back and works.',
  servers: ['postgres', 'initdb'],
  isSteady: true,
  async explore(how) {
    const server = await ownPostgres()
    const config = { host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' }
    const control = new pg.Client(config)
    await control.connect()
    await control.query('CREATE TABLE orders (id text)')
    const made = (): Pool<pg.Client> => {
      const pool = new Pool({ ...config, max: 2, connectionTimeoutMillis: 10_000 })
      // As the documentation asks: without it, an error of an idle client ends the process.
      pool.on('error', () => undefined)
      if (remedy) pool.on('connect', (client) => void client.on('error', () => undefined))
      return pool
    }
    let pool = made()
    try {
      return await explore(
        {
          ...shared(how),
          name: 'pg-pool',
          reset: async () => {
            await pool.end()
            await control.query('TRUNCATE orders')
            pool = made()
          },
          targets: () => ({ pool: bindPg(pool) }),
          faults: {
            pool: [
              refuseCalls({ error: 'ECONNRESET' }),
              refuseCalls({ error: 'postgres/deadlock' }),
              failAfterCall({ error: 'ECONNRESET' }),
              refuseCalls({ error: 'ECONNREFUSED', methods: 'connect' }),
            ],
          },
        },
        async () => {
          const single = await settled(pool.query("INSERT INTO orders VALUES ('single')"))
          const both = await settled(transaction(pool))
          const read = await settled(pool.query('SELECT 1 AS one'))
          if ('value' in read) assert.deepEqual(read.value.rows, [{ one: 1 }])
          const { rows } = await control.query<{ id: string }>('SELECT id FROM orders')
          const ids = rows.map(({ id }) => id)
          if ('value' in single) assert.ok(ids.includes('single'), 'a confirmed insert is lost')
          const parts = ids.filter((id) => id !== 'single').length
          if ('value' in both) assert.equal(parts, 2, 'a confirmed transaction is lost')
          assert.ok(parts !== 1, 'half of a transaction is stored')
          assert.equal(pool.waitingCount, 0)
          assert.equal(pool.idleCount, pool.totalCount, 'a connection is not back in the pool')
        },
      )
    } finally {
      await pool.end()
      await control.end()
      await server.stop()
    }
  },
})

/** pg-pool, with a query and a transaction as its documentation writes them. */
export const pgPoolSubject = subjectOf()
/** The same with a listener on each client, which hears of errors while the client is checked out. */
export const pgPoolRemedy = subjectOf({ remedy: 'each client has an `error` listener' })

/** A transaction, as the documentation of node-postgres writes it. */
async function transaction(pool: Pool<pg.Client>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query("INSERT INTO orders VALUES ('left')")
    await client.query("INSERT INTO orders VALUES ('right')")
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}
