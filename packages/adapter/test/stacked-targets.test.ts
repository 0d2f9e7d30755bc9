import { inject, type Fault, type Injection } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { hasPrograms, SERVER_TIMEOUT_MS } from '@chaos/test-servers'
import { once } from 'node:events'
import mysql from 'mysql2'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { delayCalls, refuseCalls } from '../src/calls/index.js'
import { bindMysql2 } from '../src/drivers/mysql2/index.js'
import { bindPg } from '../src/drivers/pg/index.js'
import { rejection } from './rejection.js'
import { mariadb, postgres, stopServers } from './stacked/servers.js'

let clock: ManualClock
beforeEach(() => {
  clock = manualClock()
})
afterAll(() => stopServers())

const over = async (target: object, fault: Fault<object>): Promise<Injection> => {
  const injection = await inject(fault, target, { clock })
  onTestFinished(() => injection.rollback().then(() => undefined))
  return injection
}
const held = (injection: Injection): Promise<unknown> => vi.waitFor(() => expect(injection.held).toBe(1))
const counts = ({ seen, affected }: Injection): readonly number[] => [seen, affected]

/** Expects that one delay begins when the other one is over. */
async function expectInTurn(outer: Injection, inner: Injection, operation: Promise<unknown>): Promise<void> {
  await held(outer)
  expect(inner.seen).toBe(0)
  await clock.advance(50)
  await held(inner)
  await clock.advance(50)
  await operation
}

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'faults on several targets of pg (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let pool: pg.Pool
    beforeAll(async () => {
      pool = new pg.Pool({ ...(await postgres()).address, max: 1 })
      await pool.query('select 1')
    }, SERVER_TIMEOUT_MS)
    afterAll(() => pool.end())

    it.each([
      ['the class beneath the pool', () => [bindPg(pg.Client), bindPg(pool)]],
      ['the pool beneath the class', () => [bindPg(pool), bindPg(pg.Client)]],
    ] as const)('act in turn on a statement: %s', async (_what, targets) => {
      const [first, second] = targets()
      const inner = await over(first as object, delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const outer = await over(second as object, delayCalls({ methods: 'SELECT', delayMs: 50 }))
      await expectInTurn(outer, inner, pool.query('select 1'))
    })

    it('act in turn though two copies of this package have injected them', async () => {
      vi.resetModules()
      const another = await import('../src/drivers/pg/index.js')
      expect(another.bindPg).not.toBe(bindPg)
      for (const [first, second] of [
        [bindPg, another.bindPg],
        [another.bindPg, bindPg],
      ] as const) {
        const inner = await over(first(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
        const outer = await over(second(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
        await expectInTurn(outer, inner, pool.query('select 1'))
        await Promise.all([inner.rollback(), outer.rollback()])
      }
    })

    it('keep the order of the statements behind a held one, and decide about each when its turn comes', async () => {
      const client = await pool.connect()
      onTestFinished(() => client.release())
      const inner = await over(bindPg(pool), refuseCalls({ methods: 'SELECT', message: 'refused' }))
      const outer = await over(bindPg(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const told: string[] = []
      const statements = [1, 2].map((n) => rejection(client.query('select 1')).then(() => told.push(`refused ${n}`)))
      const shown = client.query('show server_version').then(() => told.push('shown'))
      await held(outer)
      expect([inner.seen, outer.seen]).toEqual([0, 1])
      await clock.advance(50)
      await vi.waitFor(() =>
        expect([counts(inner), counts(outer)]).toEqual([
          [1, 1],
          [2, 2],
        ]),
      )
      await clock.advance(50)
      await Promise.all([...statements, shown])
      expect(told).toEqual(['refused 1', 'refused 2', 'shown'])
    })
  },
)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'faults on several targets of mysql2 (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let pool: mysql.Pool
    beforeAll(async () => {
      pool = mysql.createPool({ ...(await mariadb()).address, connectionLimit: 1 })
      await pool.promise().query('select 1')
    }, SERVER_TIMEOUT_MS)
    afterAll(() => pool.promise().end())

    it.each([
      ['the class beneath the pool', () => [bindMysql2(mysql.Connection), bindMysql2(pool)]],
      ['the pool beneath the class', () => [bindMysql2(pool), bindMysql2(mysql.Connection)]],
    ] as const)('act in turn on a statement: %s', async (_what, targets) => {
      const [first, second] = targets()
      const inner = await over(first as object, delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const outer = await over(second as object, delayCalls({ methods: 'SELECT', delayMs: 50 }))
      await expectInTurn(outer, inner, pool.promise().query('select 1'))
    })

    it('all act on a connection that opens, whichever of them is bound to the pool', async () => {
      const { address } = await mariadb()
      const few = mysql.createPool(address)
      onTestFinished(() => few.promise().end())
      const ofClass = await over(bindMysql2(mysql.Connection), delayCalls({ methods: 'connect', delayMs: 50 }))
      const ofPool = await over(bindMysql2(few), delayCalls({ methods: 'connect', delayMs: 50 }))
      const opening = few.promise().getConnection()
      await held(ofClass)
      await clock.advance(50)
      await held(ofPool)
      await clock.advance(50)
      const connection = await opening
      connection.release()
      expect([ofClass, ofPool].map(counts)).toEqual([
        [1, 1],
        [1, 1],
      ])
    })

    it('act in turn on a statement whose rows come as events', async () => {
      const inner = await over(bindMysql2(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const outer = await over(bindMysql2(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const rows: unknown[] = []
      const query = pool.query('select 7 as n union all select 8').on('result', (row) => rows.push(row))
      await expectInTurn(outer, inner, once(query, 'end'))
      expect(rows).toEqual([{ n: 7 }, { n: 8 }])
    })

    it('decide about a statement when its turn comes', async () => {
      const connection = await pool.promise().getConnection()
      onTestFinished(() => connection.release())
      const inner = await over(bindMysql2(pool), refuseCalls({ methods: 'SELECT', message: 'refused' }))
      const outer = await over(bindMysql2(pool), delayCalls({ methods: 'SELECT', delayMs: 50 }))
      const errors = [1, 2].map(() => rejection(connection.query('select 1')))
      await held(outer)
      expect([inner.seen, outer.seen]).toEqual([0, 1])
      await clock.advance(50)
      await vi.waitFor(() =>
        expect([counts(inner), counts(outer)]).toEqual([
          [1, 1],
          [2, 2],
        ]),
      )
      await clock.advance(50)
      expect((await Promise.all(errors)).map(({ message }) => message)).toEqual(['refused', 'refused'])
    })
  },
)
