import { inject, injectedBy, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { hasPrograms, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corruptResults } from './faults/corrupt-results.js'
import { delayCalls } from './faults/delay-calls.js'
import { failAfterCall } from './faults/fail-after-call.js'
import { refuseCalls } from './faults/refuse-calls.js'
import { breakable } from './methods.js'

/** A query that is sent by each `then`, as knex' builders are. */
class Builder {
  sent = 0
  readonly #wheres: string[] = []
  where(condition: string): this {
    this.#wheres.push(condition)
    return this
  }
  toString(): string {
    return `select ${this.#wheres.join(' and ')}`
  }
  then<Result>(resolve: (rows: string[]) => Result, reject?: (error: unknown) => Result): Promise<Result> {
    this.sent += 1
    return Promise.resolve([this.toString()]).then(resolve, reject)
  }
  catch(reject: (error: unknown) => string[]): Promise<string[]> {
    return this.then((rows) => rows, reject)
  }
}

/** A query that `exec` sends, and `then` by way of it, as mongoose's do. */
class Query {
  sent = 0
  exec(): Promise<string> {
    this.sent += 1
    return Promise.resolve('document')
  }
  then<Result>(resolve: (value: string) => Result, reject?: (error: unknown) => Result): Promise<Result> {
    return this.exec().then(resolve, reject)
  }
}

describe('a query that waits to be executed', () => {
  const lazy = { methods: ['select', 'find'], answers: 'lazy' } as const
  const target = { select: () => new Builder(), find: () => new Query() }

  it('stays the object that the library made, is refused when it is executed, and is bare when the fault ends', async () => {
    const injection = await inject(refuseCalls({ ...lazy, message: 'refused' }), target)
    const query = target.select().where('a').where('b')
    expect([query.constructor, String(query), injection.seen]).toEqual([Builder, 'select a and b', 0])
    await expect(async () => query).rejects.toThrow('refused')
    expect(await query.catch(() => ['caught'])).toEqual(['caught'])
    expect([injection.seen, injection.affected, query.sent]).toEqual([2, 2, 0])
    const found = target.find()
    await expect(found.exec()).rejects.toThrow('refused')
    await expect(async () => found).rejects.toThrow('refused')
    expect(found.sent).toBe(0)
    await injection.rollback()
    expect([Reflect.ownKeys(query), Reflect.ownKeys(found)]).toEqual([['sent'], ['sent']])
    expect([await query, await found]).toEqual([['select a and b'], 'document'])
  })

  it('is sent once when it is delayed, damaged, or loses its reply, and counted once', async () => {
    const clock = manualClock()
    await withFault(delayCalls({ ...lazy, delayMs: 100 }), target, { clock }, async (injection) => {
      const query = target.find()
      const rows = Promise.resolve(query)
      await clock.advance(99)
      expect([query.sent, injection.held]).toEqual([0, 1])
      await clock.advance(1)
      expect([await rows, query.sent, injection.affected]).toEqual(['document', 1, 1])
    })
    await withFault(corruptResults(lazy), target, async () => expect(await target.find()).toBe('docu'))
    await withFault(failAfterCall({ ...lazy, message: 'lost' }), target, async () => {
      const query = target.select()
      await expect(async () => query).rejects.toThrow('lost')
      expect(query.sent).toBe(1)
    })
  })
})

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'postgres.js (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let sql: postgres.Sql
    beforeAll(async () => {
      server = await ownPostgres()
      sql = postgres({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres', max: 2 })
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await sql.end()
      await server.stop()
    })

    it('is a target by its methods, whose queries keep theirs', async () => {
      const injection = await inject(refuseCalls({ methods: 'unsafe', message: 'refused' }), sql)
      const values = sql.unsafe('select 1 as n').values()
      await expect(values).rejects.toThrow('refused')
      await expect(sql.unsafe('select 1 as n').simple()).rejects.toThrow('refused')
      await expect(sql.unsafe('select 1 as n').execute()).rejects.toThrow('refused')
      const rows = async (): Promise<unknown[]> => {
        const seen: unknown[] = []
        for await (const row of sql.unsafe('select generate_series(1, 2) as n').cursor(1)) seen.push(...row)
        return seen
      }
      await expect(rows()).rejects.toThrow('refused')
      expect([injection.seen, injection.affected]).toEqual([4, 4])
      await injection.rollback()
      expect(await rows()).toEqual([{ n: 1 }, { n: 2 }])
      expect(await sql.unsafe('select 1 as n').values()).toEqual([[1]])
    })

    it('is one by its calls too, through `breakable`', async () => {
      const own = breakable(sql)
      await withFault(refuseCalls({ error: 'postgres/read-only' }), own, async (injection) => {
        const error = await own`insert into x values (1)`.catch((caught: unknown) => caught)
        expect(injectedBy(error)).toBe('adapter/refuse-calls')
        expect(own('name')).toBeDefined()
        expect(injection.affected).toBe(1)
      })
      await withFault(delayCalls({ delayMs: 1 }), own, async () =>
        expect(await own`select ${1}::int as n`).toEqual([{ n: 1 }]),
      )
    })

    it('fails all its methods with its own error, and leaves the classes that it carries alone', async () => {
      const { PostgresError } = sql
      await withFault(refuseCalls({ error: 'postgres/deadlock' }), sql, async () => {
        const transaction = sql.begin((own) => own`select 1 as n`)
        await expect(transaction).rejects.toMatchObject({ code: '40P01', constructor: PostgresError })
        expect(sql.PostgresError).toBe(PostgresError)
      })
      expect(await sql.begin((own) => own`select 1 as n`)).toEqual([{ n: 1 }])
    })

    it('lets a query that nobody awaits be built and dropped', async () => {
      await withFault(refuseCalls({ methods: 'unsafe' }), sql, async (injection) => {
        void sql.unsafe('select 1')
        await new Promise(setImmediate)
        expect(injection.seen).toBe(0)
      })
    })
  },
)
