import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { hasPrograms, ownPostgres, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectObserved } from '../../../test/observed-writes.js'
import { rejection } from '../../../test/rejection.js'
import {
  corruptResults,
  delayCalls,
  duplicateWrites,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
} from '../../calls/index.js'
import { bindPg } from './seam.js'

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'the queries of pg (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let pool: pg.Pool
    let client: pg.Client
    /** Sees what is really in the database; of another pool, whose clients are of the same class. */
    let witness: pg.Pool
    /** The class of the errors that this very `pg` makes of what the server says. */
    let DatabaseError: typeof pg.DatabaseError

    const address = () => ({ host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' })
    const rows = async (): Promise<number> =>
      Number((await witness.query<{ count: string }>('select count(*) from entries')).rows[0]?.count)
    const insert = "insert into entries values ('text')"

    beforeAll(async () => {
      server = await ownPostgres()
      pool = new pg.Pool(address())
      witness = new pg.Pool(address())
      client = new pg.Client(address())
      await client.connect()
      await witness.query('create table entries (name text)')
      DatabaseError = (await rejection(witness.query('nonsense'))).constructor as typeof DatabaseError
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await Promise.all([client.end(), pool.end(), witness.end()])
      await server.stop()
    })
    beforeEach(() => witness.query('truncate entries').then(() => undefined))

    for (const [what, target] of [
      ['a pool', () => bindPg(pool)],
      ['a client', () => bindPg(client)],
      ['the class', () => bindPg(pg.Client)],
    ] as const) {
      const contract = faultContract({
        fault: () => refuseCalls({ methods: 'SELECT' }),
        target,
        async exercise(_target, times) {
          for (let n = 0; n < times; n += 1)
            await (what === 'a pool' ? pool : client).query('select 1').catch(() => undefined)
        },
        touched: () => [client, pg.Client.prototype, pg.Pool.prototype],
      })
      for (const { title, run } of contract) it(`with ${what}, keeps the contract: ${title}`, run)
    }

    it.each([
      ['a pool', () => bindPg(pool), () => pool.query(insert)],
      ['a client', () => bindPg(client), () => client.query(insert)],
    ] as const)('lets %s be observed, beneath no fault', (_what, target, write) =>
      expectObserved(target, 'INSERT', write),
    )

    it('refuses a statement by its verb, however it was given, and never sends it', async () => {
      await withFault(
        refuseCalls({ methods: 'INSERT', error: 'postgres/read-only' }),
        bindPg(pool),
        async (injection) => {
          const taken = await pool.connect()
          onTestFinished(() => taken.release())
          const errors = await Promise.all([
            rejection(pool.query(insert)),
            rejection(pool.query('insert into entries values ($1)', ['text'])),
            rejection(taken.query({ name: 'prepared', text: 'insert into entries values ($1)', values: ['text'] })),
            new Promise<Error>((resolve) => pool.query(insert, (error) => resolve(error))),
            new Promise<Error>((resolve) =>
              taken.query('insert into entries values ($1)', ['text'], (error) => resolve(error)),
            ),
            new Promise<Error>(
              (resolve) =>
                void taken.query(
                  Object.assign({ text: insert }, { callback: (error: Error) => resolve(error) }) as pg.QueryConfig,
                ),
            ),
          ])
          for (const error of errors) {
            expect(error.constructor).toBe(DatabaseError)
            expect(error).toMatchObject({ code: '25006' })
            expect(injectedBy(error)).toBe('adapter/refuse-calls')
          }
          expect(await rows()).toBe(0)
          // A client of another pool, and one of none.
          await witness.query(insert)
          await client.query(insert)
          expect([injection.seen, injection.affected]).toEqual([6, 6])
          expect(injection.id).toMatch(/^adapter\/refuse-calls@Pool#/)
        },
      )
      await pool.query(insert)
      expect(await rows()).toBe(3)
    })

    it('chooses by text and values', async () => {
      await withFault(
        refuseCalls({ message: 'refused' }),
        bindPg(client),
        { only: (args) => (args[1] as number[])[0] === 1 },
        async () => {
          await expect(client.query('select $1::int as n', [1])).rejects.toThrow('refused')
          expect((await client.query('select $1::int as n', [2])).rows).toEqual([{ n: 2 }])
        },
      )
    })

    it('aborts the transaction of a statement that it refuses, as the server does', async () => {
      const run = async (statement: string): Promise<readonly string[]> => {
        const said: string[] = []
        for (const text of ['begin', insert, statement, 'select 1', 'commit']) {
          said.push(
            await client.query(text).then(
              ({ command }) => command,
              (error: unknown) => `${String((error as pg.DatabaseError).code)} ${(error as Error).message}`,
            ),
          )
        }
        return said
      }
      const real = await run('delete from entries where 1 / 0 = 1')
      const makeError = (): Error =>
        Object.assign(new DatabaseError('division by zero', 0, 'error'), { code: '22012', severity: 'ERROR' })
      const injected = await withFault(refuseCalls({ methods: 'DELETE', makeError }), bindPg(client), () =>
        run('delete from entries'),
      )
      expect(injected).toEqual([
        'BEGIN',
        'INSERT',
        '22012 division by zero',
        '25P02 current transaction is aborted, commands ignored until end of transaction block',
        'ROLLBACK',
      ])
      expect(injected).toEqual(real)
      expect(await rows()).toBe(0)
    })

    it.each([
      ['refused', refuseCalls({ methods: ['COMMIT', 'ROLLBACK'], error: 'postgres/serialization-failure' })],
      ['lost', loseWrites({ methods: ['COMMIT', 'ROLLBACK'] })],
    ])(
      'ends the transaction of a COMMIT or ROLLBACK that is %s, also for the next user of the pool',
      async (_how, fault) => {
        const one = new pg.Pool({ ...address(), max: 1 })
        onTestFinished(() => one.end())
        await withFault(fault, bindPg(one), async (injection) => {
          for (const end of ['commit', '/* so be it */ commit work', 'rollback']) {
            const taken = await one.connect()
            await taken.query('begin')
            await taken.query(insert)
            await taken.query(end).catch(() => undefined)
            expect((await taken.query('select now() = statement_timestamp() as alone')).rows).toEqual([{ alone: true }])
            taken.release()
            expect((await one.query('select 1')).rowCount).toBe(1)
          }
          expect(injection.affected).toBe(3)
        })
        expect(await rows()).toBe(0)
      },
    )

    it('fails a COMMIT as a deferred constraint does', async () => {
      await client.query('create temporary table once_only (n int unique deferrable initially deferred)')
      const run = async (statements: readonly string[]): Promise<readonly string[]> => {
        const said: string[] = []
        for (const text of statements)
          said.push(
            await client.query(text).then(
              ({ command }) => command,
              (error: unknown) => String((error as pg.DatabaseError).code),
            ),
          )
        return said
      }
      const add = 'insert into once_only values (1)'
      const real = await run(['begin', add, add, 'commit', 'select * from once_only', 'rollback'])
      const makeError = (): Error =>
        Object.assign(new DatabaseError('duplicate', 0, 'error'), { code: '23505', severity: 'ERROR' })
      const injected = await withFault(refuseCalls({ methods: 'COMMIT', makeError }), bindPg(client), () =>
        run(['begin', add, 'select 1', 'commit', 'select * from once_only', 'rollback']),
      )
      expect(injected).toEqual(['BEGIN', 'INSERT', 'SELECT', '23505', 'SELECT', 'ROLLBACK'])
      expect(real).toEqual(['BEGIN', 'INSERT', 'INSERT', '23505', 'SELECT', 'ROLLBACK'])
    })

    it.each(['savepoint b', 'release a', 'rollback to savepoint a', 'rollback to a'])(
      'aborts the transaction of a refused savepoint statement, which goes back to the savepoint: %s',
      async (text) => {
        const makeError = (): Error =>
          Object.assign(new DatabaseError('refused', 0, 'error'), { code: 'XX000', severity: 'ERROR' })
        await client.query('begin')
        await client.query('savepoint a')
        await withFault(refuseCalls({ makeError }), bindPg(client), { limit: 1 }, () =>
          expect(client.query(text)).rejects.toMatchObject({ code: 'XX000' }),
        )
        await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
        await client.query('rollback to a')
        expect((await client.query('select 1')).rowCount).toBe(1)
        await client.query('rollback')
      },
    )

    it('lets no cursor overtake a delayed statement of its client', async () => {
      const clock = manualClock()
      const delay = await inject(delayCalls({ methods: 'INSERT', delayMs: 100 }), bindPg(client), { clock })
      const told: string[] = []
      const inserted = client.query(insert).then(() => told.push('inserted'))
      // What pg-cursor is to a client: a query of its own class, which the client submits in its turn.
      const ended = new Promise<void>((resolve) => {
        const cursor = {
          submit: (connection: { query: (text: string) => void }) => connection.query('select count(*) from entries'),
          handleRowDescription: () => undefined,
          handleDataRow: ({ fields }: { fields: readonly unknown[] }) => told.push(`cursor saw ${String(fields[0])}`),
          handleCommandComplete: () => undefined,
          handleReadyForQuery: () => resolve(),
          handleError: () => resolve(),
        }
        client.query(cursor as unknown as pg.Submittable)
      })
      await vi.waitFor(() => expect(delay.held).toBe(1))
      await clock.advance(100)
      await Promise.all([inserted, ended])
      expect(told).toEqual(['inserted', 'cursor saw 1'])
      await delay.rollback()
    })

    it('fails a held query when its client ends, as pg does while a server is mute', async () => {
      const lifeOf = async (text: string, hang: boolean): Promise<readonly unknown[]> => {
        const one = new pg.Client(address())
        await one.connect()
        const injection = hang ? await inject(hangCalls({ methods: 'SELECT' }), bindPg(one)) : undefined
        const failed = rejection(one.query(text))
        const behind = rejection(one.query('select 2'))
        await one.end()
        const told = [await failed, await behind].map(({ name, message }) => [name, message])
        await injection?.rollback()
        return told
      }
      expect(await lifeOf('select 1', true)).toEqual(await lifeOf('select pg_sleep(1)', false))
    })

    it('fails a held query when the server ends its session, as pg does while a query runs', async () => {
      const lifeOf = async (text: string, hang: boolean): Promise<readonly unknown[]> => {
        const few = new pg.Pool({ ...address(), max: 1 })
        const one = await few.connect()
        one.on('error', () => undefined)
        const ended = new Promise<void>((resolve) => one.once('end', () => resolve()))
        const pid = (await one.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
        const injection = hang ? await inject(hangCalls({ methods: 'SELECT' }), bindPg(few)) : undefined
        const failed = rejection(one.query(text))
        await witness.query('values (pg_terminate_backend($1))', [pid])
        const { message } = await failed
        await ended
        one.release()
        const { rowCount } = await few.query('values (1)')
        await injection?.rollback()
        const told: readonly unknown[] = [
          Reflect.get(await failed, 'code'),
          message,
          rowCount,
          few.totalCount,
          few.idleCount,
        ]
        await few.end()
        return told
      }
      const real = await lifeOf('select pg_sleep(5)', false)
      expect(real[0]).toBe('57P01')
      expect(await lifeOf('select 1', true)).toEqual(real)
    })

    it('fails a held query when its transaction is idle for too long', async () => {
      const one = new pg.Client({ ...address(), idle_in_transaction_session_timeout: 50 }).on('error', () => undefined)
      await one.connect()
      await withFault(hangCalls({ methods: 'SELECT' }), bindPg(one), async () => {
        // Queued at once: on a machine that stalls the transaction would be idle for too long before it has a query.
        const [begun, held] = [one.query('begin'), rejection(one.query('select 1'))]
        await begun
        expect(await held).toMatchObject({ code: '25P03', severity: 'FATAL' })
      })
      await one.end()
    })

    it('leaves nothing on a query that it held, and keeps a pipeline in its order', async () => {
      const clock = manualClock()
      const one = new pg.Client({ ...address(), pipeline: true })
      await one.connect()
      onTestFinished(() => one.end())
      const delay = await inject(delayCalls({ methods: 'INSERT', delayMs: 100 }), bindPg(one), { clock })
      const told: unknown[] = []
      const query = new pg.Query(insert)
      const keys = Reflect.ownKeys(query)
      const done = [
        one.query('select 1 as n').then(({ rows: [row] }) => told.push(row)),
        once(one.query(query), 'end').then(() => told.push('inserted')),
        one.query('select count(*)::int as n from entries').then(({ rows: [row] }) => told.push(row)),
      ]
      await vi.waitFor(() => expect(told).toEqual([{ n: 1 }]))
      expect(delay.held).toBe(1)
      await clock.advance(100)
      await Promise.all(done)
      expect(told).toEqual([{ n: 1 }, 'inserted', { n: 1 }])
      expect(Reflect.ownKeys(query).filter((key) => !keys.includes(key) && key !== '_accumulateRows')).toEqual([])
      await delay.rollback()
    })

    it('does not end before the turn of the last query in a pipeline that its limit allows', async () => {
      const one = new pg.Client({ ...address(), pipeline: true })
      await one.connect()
      onTestFinished(() => one.end())
      const refusal = await inject(refuseCalls({ methods: 'INSERT', message: 'refused' }), bindPg(one), { limit: 1 })
      onTestFinished(() => refusal.rollback().then(() => undefined))
      const answers = [one.query('select 1'), one.query(insert), one.query(insert)]
      expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
      ])
      expect(await rows()).toBe(1)
      expect([refusal.affected, refusal.held, refusal.status]).toEqual([1, 0, 'ended'])
    })

    // Earlier versions of pg have no pipelines: the second query waits in the queue of its client, where no fault has met it.
    it.runIf('pipeline' in new pg.Client())(
      'stops waiting for the turn of a query in a pipeline whose connection is lost (skipped with a pg that has none)',
      async () => {
        const one = new pg.Client({ ...address(), pipeline: true })
        one.on('error', () => undefined)
        await one.connect()
        const refusal = await inject(refuseCalls({ methods: 'INSERT', message: 'refused' }), bindPg(one), { limit: 1 })
        onTestFinished(() => refusal.rollback().then(() => undefined))
        const answers = Promise.allSettled([one.query('select pg_sleep(60)'), one.query(insert)])
        await vi.waitFor(() => expect(refusal.held).toBe(1))
        ;(one as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy()
        await answers
        await vi.waitFor(() => expect([refusal.held, refusal.status]).toEqual([0, 'ended']))
      },
    )

    it('keeps the statements of a connection in their order', async () => {
      const clock = manualClock()
      const one = await pool.connect()
      onTestFinished(() => one.release())
      const delay = await inject(delayCalls({ methods: 'INSERT', delayMs: 100 }), bindPg(pool), { clock })
      const done = Promise.all([one.query('begin'), one.query(insert), one.query('commit'), one.query(insert)])
      for (const written of [0, 1]) {
        await vi.waitFor(() => expect(delay.held).toBe(1))
        expect(await rows()).toBe(written)
        await clock.advance(100)
      }
      expect((await done).map(({ command }) => command)).toEqual(['BEGIN', 'INSERT', 'COMMIT', 'INSERT'])
      expect(await rows()).toBe(2)
      await delay.rollback()
    })

    it('sends the statement and fails it, forgets, repeats, damages, and answers with what was', async () => {
      await withFault(failAfterCall({ methods: 'INSERT', error: 'postgres/connection-terminated' }), bindPg(pool), () =>
        expect(pool.query(insert)).rejects.toThrow('Connection terminated unexpectedly'),
      )
      expect(await rows()).toBe(1)
      await withFault(loseWrites({ methods: 'INSERT', answer: { rowCount: 1, rows: [] } }), bindPg(pool), async () =>
        expect((await pool.query(insert)).rowCount).toBe(1),
      )
      expect(await rows()).toBe(1)
      await withFault(duplicateWrites({ methods: 'INSERT' }), bindPg(pool), async () =>
        expect((await pool.query(insert)).rowCount).toBe(1),
      )
      await vi.waitFor(async () => expect(await rows()).toBe(3))
      await withFault(corruptResults({ methods: 'SELECT' }), bindPg(pool), async () => {
        const result = await pool.query('select name from entries')
        expect(result.constructor).toBe((await witness.query('select 1')).constructor)
        expect(result).toMatchObject({ command: 'SELECT', rows: [{ name: 'text' }] })
        expect((await pool.query('select 1; select 2')) as unknown).toMatchObject([{ rows: [] }, { rows: [] }])
      })
      await withFault(serveStaleReads({ methods: 'SELECT' }), bindPg(pool), async () => {
        const count = async (): Promise<unknown> => (await pool.query('select count(*)::int as n from entries')).rows
        expect(await count()).toEqual([{ n: 3 }])
        await pool.query(insert)
        expect(await count()).toEqual([{ n: 3 }])
      })
    })

    it('waits: time out, hang', async () => {
      const clock = manualClock()
      const timeOut = await inject(
        timeOutCalls({ timeoutMs: 50, error: 'postgres/statement-timeout' }),
        bindPg(client),
        { clock },
      )
      const error = rejection(client.query('select 1'))
      await clock.advance(50)
      expect(await error).toMatchObject({ code: '57014' })
      await timeOut.rollback()

      const hang = await inject(hangCalls({ methods: 'SELECT' }), bindPg(client), { clock })
      const answer = client.query('select 7 as n')
      await hang.rollback()
      expect((await answer).rows).toEqual([{ n: 7 }])
    })

    it("ends a hang by the driver's own timeout, and keeps the connection busy, as a mute server does", async () => {
      const one = new pg.Client({ ...address(), query_timeout: 20 })
      await one.connect()
      const hang = await inject(hangCalls({ methods: 'SELECT' }), bindPg(one))
      expect((await rejection(one.query('select 1'))).message).toBe('Query read timeout')
      expect((await rejection(one.query('insert into entries values (1)'))).message).toBe('Query read timeout')
      expect(await rows()).toBe(0)
      await one.end()
      await hang.rollback()
    })

    it('flaps, and limits the rate', async () => {
      const clock = manualClock()
      const flap = await inject(flapCalls({ downMs: 10, upMs: 10, error: 'ECONNREFUSED' }), bindPg(pool), { clock })
      await expect(pool.query('select 1')).rejects.toThrow(`connect ECONNREFUSED 127.0.0.1:${server.port}`)
      await clock.advance(10)
      expect((await pool.query('select 1')).rowCount).toBe(1)
      await flap.rollback()
      await withFault(limitRate({ calls: 1, perMs: 60_000 }), bindPg(client), async () => {
        await client.query('select 1')
        await expect(client.query('select 1')).rejects.toThrow('Too Many Requests')
      })
    })

    it('fails the handing out of a client where it is asked to, and keeps none', async () => {
      await withFault(refuseCalls({ methods: 'connect', error: 'postgres/pool-timeout' }), bindPg(pool), async () => {
        await expect(pool.connect()).rejects.toThrow('timeout exceeded when trying to connect')
        await expect(pool.query('select 1')).rejects.toThrow('timeout exceeded when trying to connect')
        expect(await new Promise((resolve) => pool.connect((error) => resolve(error?.message)))).toBe(
          'timeout exceeded when trying to connect',
        )
      })
      const few = new pg.Pool({ ...address(), max: 1 })
      onTestFinished(() => few.end())
      await withFault(failAfterCall({ methods: 'connect' }), bindPg(few), () =>
        expect(few.connect()).rejects.toThrow('read ECONNRESET'),
      )
      await withFault(delayCalls({ methods: 'connect', delayMs: 1 }), bindPg(few), async () => {
        expect((await few.query('select 1')).rowCount).toBe(1)
        const taken = await few.connect()
        taken.release()
      })
      expect([few.totalCount, few.idleCount]).toEqual([1, 1])
      await withFault(
        refuseCalls({ methods: 'connect', error: 'postgres/too-many-connections' }),
        bindPg(pg.Client),
        async () => {
          await expect(new pg.Client(address()).connect()).rejects.toMatchObject({ code: '53300' })
          const fresh = new pg.Pool(address())
          await expect(fresh.query('select 1')).rejects.toMatchObject({ code: '53300' })
          expect(fresh.totalCount).toBe(0)
        },
      )
    })

    it.each(['request', 'response'] as const)(
      'holds a connect at the %s until the timeout of the client or of its pool, and leaves nothing behind',
      async (seam) => {
        const connectionTimeoutMillis = 50
        const hang = await inject(hangCalls({ methods: 'connect', seam }), bindPg(pg.Client))
        const one = new pg.Client({ ...address(), connectionTimeoutMillis })
        await expect(one.connect()).rejects.toThrow('timeout expired')
        const few = new pg.Pool({ ...address(), connectionTimeoutMillis, max: 1 })
        await expect(few.query('select 1')).rejects.toThrow('Connection terminated due to connection timeout')
        const late = new pg.Client(address())
        const connected = late.connect()
        await vi.waitFor(() => expect(hang.held).toBe(3))
        await hang.rollback()
        await connected
        expect([one, late].flatMap(({ connection }) => Object.keys(connection))).not.toContain('emit')
        expect(Object.keys(late.connection)).not.toContain('startup')
        // Fifty ms are little for a real connection as well: a machine that stalls may need more than one.
        await vi.waitFor(async () => expect((await few.query('select 1')).rowCount).toBe(1))
        expect([few.totalCount, few.idleCount, few.waitingCount]).toEqual([1, 1, 0])
        await Promise.all([late.end(), few.end()])
      },
    )

    it('holds the checkout of an idle client until the timeout of the pool', async () => {
      const one = new pg.Pool({ ...address(), connectionTimeoutMillis: 50, max: 1 })
      // A machine that stalls may need more than one.
      await vi.waitFor(() => one.query('select 1'))
      const hang = await inject(hangCalls({ methods: 'connect' }), bindPg(one))
      await expect(one.connect()).rejects.toThrow('timeout exceeded when trying to connect')
      await hang.rollback()
      await one.query('select 1')
      expect([one.totalCount, one.idleCount, one.waitingCount]).toEqual([1, 1, 0])
      await one.end()
    })

    it('hands the idle client out when the fault ends, if the pool has no timeout', async () => {
      const one = new pg.Pool({ ...address(), max: 1 })
      await one.query('select 1')
      const hang = await inject(hangCalls({ methods: 'connect' }), bindPg(one))
      const answer = one.query('select 7 as n')
      await vi.waitFor(() => expect(hang.held).toBe(1))
      await hang.rollback()
      expect((await answer).rows).toEqual([{ n: 7 }])
      expect([one.totalCount, one.idleCount, one.waitingCount]).toEqual([1, 1, 0])
      await one.end()
    })

    it('covers query objects too', async () => {
      await withFault(refuseCalls({ methods: 'SELECT', message: 'refused' }), bindPg(client), async (injection) => {
        const [error] = (await once(client.query(new pg.Query('select 1 as n')), 'error')) as [Error]
        expect([error.message, injection.affected]).toEqual(['refused', 1])
      })
    })

    it.each([
      [{}, 'an object of class Object'],
      [Map, 'the function `Map`'],
    ])('binds no other object: %o', (value, words) => {
      expect(() => bindPg(value as unknown as pg.Client)).toThrow(
        `Expected a pool or a client of pg, or the class pg.Client, got ${words}`,
      )
    })

    it('refuses names that are no verbs', async () => {
      await expect(inject(refuseCalls({ methods: 'SELCT' }), bindPg(pool))).rejects.toThrow('Did you mean "SELECT"?')
    })
  },
)
