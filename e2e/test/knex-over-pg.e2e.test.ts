import { hangCalls, refuseCalls } from '@chaos/adapter'
import { bindPg } from '@chaos/adapter/pg'
import { inject, withFault, type Injection } from '@chaos/core'
import knex, { type Knex } from 'knex'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasPrograms, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { relayTo } from '../src/mute-relay.js'

/** How work ended: the class and message of its error. */
const endOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'settled',
    (error: unknown) => String(error),
  )

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'knex over pg (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownPostgres()
    }, SERVER_TIMEOUT_MS)
    afterAll(() => server.stop())

    /** A knex with one connection, which is open. */
    async function opened(port = server.port): Promise<Knex> {
      const db = knex({
        client: 'pg',
        connection: { host: '127.0.0.1', port, user: 'root', database: 'postgres' },
        pool: { min: 0, max: 1 },
        acquireConnectionTimeout: 150,
        log: { warn: () => undefined, error: () => undefined },
      })
      onTestFinished(() => db.destroy())
      // The timeout is short for connecting too: on a machine that stalls it may need more than one try.
      await vi.waitFor(() => db.raw('select 1'))
      return db
    }

    it.each([
      ['its query timeout', (db: Knex) => endOf(db.raw('select 2').timeout(100).then())],
      [
        'acquireConnectionTimeout, while another query waits',
        (db: Knex) => {
          void endOf(db.raw('select 2').timeout(400).then())
          return endOf(db.raw('select 3').then())
        },
      ],
    ])('fails by %s as before a mute server', async (_what, run) => {
      const relay = await relayTo(server.port)
      const mute = await opened(relay.port)
      relay.isMute = true
      const real = await run(mute)
      expect(real).toContain('KnexTimeoutError')
      const db = await opened()
      expect(await withFault(hangCalls(), bindPg(pg.Client), () => run(db))).toBe(real)
    })

    it('times a held query out with a cancel, if the fault leaves the query that cancels alone', async () => {
      const db = await opened()
      await withFault(hangCalls(), bindPg(pg.Client), { only: 'SELECT', limit: 1 }, async (injection) => {
        const end = await endOf(db.raw('select 2').timeout(100, { cancel: true }).then())
        expect(end).toContain('KnexTimeoutError')
        expect(injection.affected).toBe(1)
      })
      await db.destroy()
    })

    it('rejects a transaction whose commit is refused, with nothing written, and its connection is good again', async () => {
      const db = await opened()
      await db.schema.createTable('commits', (table) => void table.integer('n'))
      await withFault(refuseCalls({ message: 'refused' }), bindPg(pg.Client), { only: 'COMMIT' }, async (injection) => {
        await expect(db.transaction((trx) => trx('commits').insert({ n: 1 }))).rejects.toThrow('refused')
        expect(injection.affected).toBe(1)
      })
      await db.transaction((trx) => trx('commits').insert({ n: 2 }))
      expect(await db('commits').select('n')).toEqual([{ n: 2 }])
    })

    it('rejects a transaction whose rollback is refused with an error, and its connection is good again', async () => {
      const db = await opened()
      await db.schema.createTable('rollbacks', (table) => void table.integer('n'))
      await withFault(
        refuseCalls({ message: 'refused' }),
        bindPg(pg.Client),
        { only: 'ROLLBACK' },
        async (injection) => {
          const failing = db.transaction(async (trx) => {
            await trx('rollbacks').insert({ n: 1 })
            throw new Error('own')
          })
          await expect(failing).rejects.toThrow()
          expect(injection.affected).toBe(1)
        },
      )
      expect(await db('rollbacks').select('n')).toEqual([])
    })

    it('lets a pool be destroyed while a query is held', async () => {
      const db = await opened()
      const injection: Injection = await inject(hangCalls(), bindPg(pg.Client))
      const end = endOf(db.raw('select 2').then())
      await vi.waitFor(() => expect(injection.affected).toBe(1))
      const destroyed = db.destroy()
      await injection.rollback()
      await destroyed
      // A hang ends with the fault: the query is sent then, before the connection closes.
      expect(await end).toBe('settled')
    })
  },
)
