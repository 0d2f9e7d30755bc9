import { inject, withFault } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import { hasPrograms, ownMariaDb, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
import { rejection } from '../../../test/rejection.js'
import { bindIoredis } from '../../drivers/ioredis/index.js'
import { bindMysql2 } from '../../drivers/mysql2/index.js'
import { bindPg } from '../../drivers/pg/index.js'
import { exhaustPool } from './exhaust-pool.js'

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'a pool of pg (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    beforeAll(async () => void (server = await ownPostgres()), SERVER_TIMEOUT_MS)
    afterAll(() => server.stop())

    const open: pg.Pool[] = []
    afterAll(() => Promise.all(open.map((pool) => pool.end())))
    const poolOf = (config: pg.PoolConfig = {}): pg.Pool => {
      const pool = new pg.Pool({
        host: '127.0.0.1',
        port: server.port,
        user: 'root',
        database: 'postgres',
        max: 3,
        ...config,
      })
      open.push(pool)
      return pool
    }

    const pools = new Map<object, pg.Pool>()
    const contract = faultContract({
      fault: () => exhaustPool(),
      target: () => {
        const pool = poolOf()
        const target = bindPg(pool)
        pools.set(target, pool)
        return target
      },
      exercise(target, times) {
        for (let n = 0; n < times; n += 1)
          (pools.get(target) as pg.Pool).connect().then(
            (client) => client.release(),
            () => undefined,
          )
      },
      touched: (target) => [pools.get(target) as pg.Pool, pg.Pool.prototype],
    })
    for (const { title, run } of contract) it(`keeps the contract: ${title}`, run)

    it('is exhausted really: its own timeout fails with its own error, as when the application holds all of it', async () => {
      const pool = poolOf()
      const taken = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
      pool.options.connectionTimeoutMillis = 20
      const real = describeError(await rejection(pool.query('select 1')))
      for (const client of taken) client.release()

      await withFault(exhaustPool(), bindPg(pool), async (injection) => {
        expect([pool.totalCount, pool.idleCount]).toEqual([3, 0])
        expect(describeError(await rejection(pool.query('select 1')))).toEqual(real)
        expect(injection.account).toEqual({ held: 3, returned: 0 })
        expect([injection.seen, injection.affected]).toEqual([1, 1])
      })
      expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    })

    it('leaves some, and serves whoever waits when it ends', async () => {
      const pool = poolOf()
      const injection = await inject(exhaustPool({ leave: 1 }), bindPg(pool))
      expect((await pool.query('select 1')).rowCount).toBe(1)
      expect(injection.seen).toBe(0)
      const last = await pool.connect()
      const waiter = pool.query('select 2 as n')
      expect([injection.affected, pool.waitingCount]).toEqual([1, 1])
      await injection.rollback()
      expect((await waiter).rows).toEqual([{ n: 2 }])
      last.release()
      expect(injection.account).toEqual({ held: 2, returned: 2 })
      await vi.waitFor(() => expect(pool.idleCount).toBe(pool.totalCount))
    })

    it('takes what the application uses when it comes back', async () => {
      const pool = poolOf()
      const busy = await Promise.all([pool.connect(), pool.connect()])
      const injection = await inject(exhaustPool(), bindPg(pool))
      expect(injection.account).toEqual({ held: 1, returned: 0 })
      for (const client of busy) client.release()
      await vi.waitFor(() => expect(injection.account).toEqual({ held: 3, returned: 0 }))
      await injection.rollback()
      expect(injection.account['returned']).toBe(3)
    })

    it('gives one that is not chosen a connection that is held', async () => {
      const pool = poolOf()
      await withFault(exhaustPool(), bindPg(pool), { limitPerOperation: 1 }, async (injection) => {
        const waiting = pool.query('select 1')
        const text = 'select 2 as n'
        expect((await pool.query(text)).rows).toEqual([{ n: 2 }])
        // What it gave back serves the one that waits.
        expect((await waiting).rowCount).toBe(1)
        const [client, release] = await new Promise<[pg.PoolClient, () => void]>((resolve) => {
          pool.connect((_error, given, giveBack) => resolve([given as pg.PoolClient, giveBack]))
        })
        expect((await client.query(text)).rows).toEqual([{ n: 2 }])
        release()
        expect([injection.seen, injection.affected]).toEqual([3, 1])
      })
    })

    it('survives that the server ends the connections that it holds', async () => {
      const pool = poolOf({ application_name: 'held' })
      pool.on('error', () => undefined)
      const injection = await inject(exhaustPool(), bindPg(pool))
      const admin = poolOf()
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'held'")
      await vi.waitFor(() => expect(injection.account['returned']).toBeGreaterThanOrEqual(3))
      await injection.rollback()
      expect((await vi.waitFor(() => pool.query('select 1'))).rowCount).toBe(1)
    })

    it('takes nothing from a pool that cannot give', async () => {
      const pool = poolOf({ port: 1 })
      await expect(inject(exhaustPool(), bindPg(pool))).rejects.toThrow('ECONNREFUSED')
      await expect(inject(exhaustPool({ leave: 3 }), bindPg(pool))).rejects.toThrow(
        'adapter/exhaust-pool needs a pool whose limit is above `leave` (3), but the limit is 3.',
      )
      expect(pool.totalCount).toBe(0)
      const redis = new Redis({ lazyConnect: true })
      onTestFinished(() => redis.disconnect())
      await expect(inject(exhaustPool(), bindIoredis(redis))).rejects.toThrow('a bound pool')
      await expect(inject(exhaustPool(), bindPg(pg.Client))).rejects.toThrow('a bound pool')
    })
  },
)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'a pool of mysql2 (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => void (server = await ownMariaDb()), SERVER_TIMEOUT_MS)
    afterAll(() => server.stop())

    const poolOf = (config: mysql.PoolOptions = {}): mysql.Pool => {
      const pool = mysql.createPool({
        host: '127.0.0.1',
        port: server.port,
        user: 'root',
        connectionLimit: 3,
        ...config,
      })
      onTestFinished(() => pool.end())
      return pool
    }

    it.each([
      [{ waitForConnections: false }, 'No connections available.'],
      [{ queueLimit: 1 }, 'Queue limit reached.'],
    ])('is exhausted really, with %o', async (config, message) => {
      const pool = poolOf(config)
      const ask = async (): Promise<Error> => {
        if ('queueLimit' in config) pool.query('select 1').catch(() => undefined)
        return rejection(pool.query('select 1'))
      }
      const taken = await Promise.all([1, 2, 3].map(() => pool.getConnection()))
      const real = describeError(await ask())
      for (const connection of taken) connection.release()
      expect(real.message).toBe(message)
      const injection = await inject(exhaustPool(), bindMysql2(pool))
      await vi.waitFor(() => expect(injection.account['held']).toBe(3))
      expect(describeError(await ask())).toEqual(real)
      expect(injection.affected).toBeGreaterThan(0)
      await injection.rollback()
      await vi.waitFor(() => pool.query('select 1'))
    })

    it('leaves some, hands over, and serves whoever waits when it ends', async () => {
      const pool = poolOf()
      const injection = await inject(exhaustPool({ leave: 1 }), bindMysql2(pool), { limitPerOperation: 1 })
      const own = await pool.getConnection()
      expect(injection.seen).toBe(0)
      const waiter = pool.query('select 1 as n')
      // Not chosen: it gets one that is held.
      const handed = await pool.getConnection()
      expect((await handed.query('select 2 as n'))[0]).toEqual([{ n: 2 }])
      expect([injection.seen, injection.affected]).toEqual([2, 1])
      await injection.rollback()
      expect((await waiter)[0]).toEqual([{ n: 1 }])
      own.release()
      handed.release()
      expect(injection.account).toEqual({ held: 2, returned: 1 })
    })

    it('refuses a pool without a limit', async () => {
      await expect(inject(exhaustPool(), bindMysql2(poolOf({ connectionLimit: 0 })))).rejects.toThrow(
        'but the pool has no limit. Set one.',
      )
    })
  },
)
