import { breakable, exhaustPool, refuseCalls } from '@chaos/adapter'
import { inject, withFault, type Fault } from '@chaos/core'
import { hasPrograms, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import knex, { type Knex } from 'knex'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'knex (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let db: Knex
    beforeAll(async () => {
      server = await ownPostgres()
      db = knex({
        client: 'pg',
        connection: { host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' },
        pool: { min: 0, max: 2 },
        acquireConnectionTimeout: 100,
        log: { warn: () => undefined, error: () => undefined },
      })
      // Both connections are open from here on: to open one may take longer than the timeout.
      await vi.waitFor(() => Promise.all([db.raw('select 1'), db.raw('select 1')]))
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await db.destroy()
      await server.stop()
    })

    it('builds queries as ever, which are refused when they are executed', async () => {
      await withFault(refuseCalls({ methods: ['select', 'raw'], message: 'refused' }), db, async (injection) => {
        const query = db.select('n').from('numbers').where('n', 1)
        expect(query.toQuery()).toBe('select "n" from "numbers" where "n" = 1')
        expect(injection.seen).toBe(0)
        await expect(query.then()).rejects.toThrow('refused')
        await expect(db.raw('select 1').then()).rejects.toThrow('refused')
        expect([injection.seen, injection.affected]).toEqual([2, 2])
      })
      const own = breakable(db)
      await withFault(refuseCalls({ message: 'refused' }), own, () =>
        expect(own('numbers').where('n', 1).then()).rejects.toThrow('refused'),
      )
      expect(await db.select(db.raw('1 as n'))).toEqual([{ n: 1 }])
    })

    it('has a pool that can be exhausted, so that its own timeout fails', async () => {
      const { pool } = db.client as { readonly pool: object }
      const injection = await inject(exhaustPool() as Fault<object>, pool)
      await expect(db.raw('select 1').then()).rejects.toThrow('Timeout acquiring a connection')
      expect([injection.affected, injection.account]).toEqual([1, { held: 2, returned: 0 }])
      await injection.rollback()
      expect(await db.select(db.raw('2 as n'))).toEqual([{ n: 2 }])
      expect(Object.hasOwn(pool, 'acquire')).toBe(false)
    })
  },
)
