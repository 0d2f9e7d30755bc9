import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { hasPrograms, ownMariaDb, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { once } from 'node:events'
import mysql, { type QueryError, type ResultSetHeader, type RowDataPacket } from 'mysql2'
import manifest from 'mysql2/package.json' with { type: 'json' }
import promises from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeError } from '../../../test/describe-error.js'
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
import { bindMysql2 } from './seam.js'

/** Before 3.22 the promises of mysql2 reject with copies of errors, of which only code, numbers, statement and message are those of the original. */
const HANDS_OUT_COPIES = /^3\.(1?\d|2[01])\./.test(manifest.version)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'the statements of mysql2 (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    let pool: promises.Pool
    let callbacks: mysql.Pool
    let connection: promises.Connection
    /** Sees what is really in the database; of another pool, whose connections are of the same class. */
    let witness: promises.Pool

    const address = () => ({ host: '127.0.0.1', port: server.port, user: 'root', database: 'app' })
    const rows = async (): Promise<number> =>
      ((await witness.query<RowDataPacket[]>('select count(*) as n from entries'))[0][0] as { n: number }).n
    const insert = "insert into entries values ('text')"
    /** What works beneath the promises; their types call it something else. */
    const coreOf = (one: promises.Connection): mysql.Connection =>
      (one as unknown as { readonly connection: mysql.Connection }).connection
    const called = (call: (callback: (error: QueryError | null, rows?: unknown) => void) => unknown) =>
      new Promise<unknown>((resolve) => void call((error, result) => resolve(error ?? result)))

    beforeAll(async () => {
      server = await ownMariaDb()
      const root = await promises.createConnection({
        ...address(),
        database: undefined as never,
        multipleStatements: true,
      })
      await root.query('create database app; create table app.entries (name text) engine=innodb')
      root.destroy()
      pool = promises.createPool(address())
      callbacks = mysql.createPool(address())
      witness = promises.createPool(address())
      connection = await promises.createConnection(address())
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      connection.destroy()
      await Promise.all([pool.end(), callbacks.promise().end(), witness.end()])
      await server.stop()
    })
    beforeEach(() => witness.query('truncate entries').then(() => undefined))

    for (const [what, target] of [
      ['a pool', () => bindMysql2(pool)],
      ['a connection', () => bindMysql2(connection)],
      ['the class', () => bindMysql2(mysql.Connection)],
    ] as const) {
      const contract = faultContract({
        fault: () => refuseCalls({ methods: 'SELECT' }),
        target,
        async exercise(_target, times) {
          for (let n = 0; n < times; n += 1)
            await (what === 'a pool' ? pool : connection).query('select 1').catch(() => undefined)
        },
        touched: () => [
          pool.pool,
          mysql.Connection.prototype,
          Object.getPrototypeOf(mysql.Connection.prototype) as object,
        ],
      })
      for (const { title, run } of contract) it(`with ${what}, keeps the contract: ${title}`, run)
    }

    it.each([
      ['a pool', () => bindMysql2(pool), () => pool.execute(insert)],
      ['a pool with callbacks', () => bindMysql2(callbacks), () => callbacks.promise().query(insert)],
      ['a connection', () => bindMysql2(connection), () => connection.query(insert)],
    ] as const)('lets %s be observed, beneath no fault', (_what, target, write) =>
      expectObserved(target, 'INSERT', write),
    )

    it('refuses a statement by its verb, however it was given, and never does it', async () => {
      for (const target of [bindMysql2(callbacks), bindMysql2(callbacks.promise())]) {
        await withFault(refuseCalls({ methods: 'INSERT', error: 'mysql/lock-wait' }), target, async (injection) => {
          const taken = await callbacks.promise().getConnection()
          onTestFinished(() => taken.release())
          const errors = (await Promise.all([
            called((callback) => callbacks.query(insert, callback)),
            called((callback) => callbacks.execute('insert into entries values (?)', ['text'], callback)),
            called((callback) => coreOf(taken).query('insert into entries values (?)', ['text'], callback)),
            rejection(callbacks.promise().query(insert)),
            rejection(taken.execute('insert into entries values (?)', ['text'])),
            taken.prepare('insert into entries values (?)').then((statement) => rejection(statement.execute(['text']))),
            once(callbacks.query(insert), 'error').then(([error]) => error as Error),
          ])) as Error[]
          for (const error of errors) {
            expect(error).toMatchObject({ code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205 })
          }
          const [unmarked, marked] = HANDS_OUT_COPIES
            ? [errors.slice(3, 6), [...errors.slice(0, 3), ...errors.slice(6)]]
            : [[], errors]
          expect(marked.map(injectedBy)).toEqual(marked.map(() => 'adapter/refuse-calls'))
          expect(unmarked.map(injectedBy)).toEqual(unmarked.map(() => undefined))
          const prepared = 'insert into entries values (?)'
          expect(errors.map((error) => (error as QueryError & { sql?: string }).sql)).toEqual([
            insert,
            prepared,
            insert,
            insert,
            prepared,
            undefined,
            insert,
          ])
          await witness.query(insert)
          expect([injection.seen, injection.affected]).toEqual([7, 7])
          expect(injection.id).toMatch(/^adapter\/refuse-calls@Pool#/)
        })
        expect(await rows()).toBe(1)
        await witness.query('truncate entries')
      }
      expect(await called((callback) => callbacks.query(insert, callback))).toMatchObject({ affectedRows: 1 })
    })

    it('gives the connections of the pool back', async () => {
      const few = promises.createPool({ ...address(), connectionLimit: 1 })
      onTestFinished(() => few.end())
      await withFault(refuseCalls({ methods: ['SELECT', 'DELETE'], message: 'refused' }), bindMysql2(few), async () => {
        await expect(few.query('select 1')).rejects.toThrow('refused')
        await expect(few.execute('select ?', [1])).rejects.toThrow('refused')
        expect((await few.execute<ResultSetHeader>(insert))[0].affectedRows).toBe(1)
      })
      // mysql2 itself drops a connection whose server has become read-only.
      await withFault(refuseCalls({ methods: 'SELECT', error: 'mysql/read-only' }), bindMysql2(few), () =>
        expect(few.query('select 1')).rejects.toThrow('--read-only'),
      )
      expect((await few.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
    })

    it('rolls the transaction back that a deadlock hits, as the server does', async () => {
      await withFault(refuseCalls({ methods: 'UPDATE', error: 'mysql/deadlock' }), bindMysql2(connection), async () => {
        await connection.beginTransaction()
        await connection.query(insert)
        await expect(connection.query("update entries set name = 'x'")).rejects.toMatchObject({ errno: 1213 })
        await connection.commit()
      })
      expect(await rows()).toBe(0)
    })

    it.each([
      ['refused', refuseCalls({ methods: ['COMMIT', 'ROLLBACK'], error: 'mysql/lock-wait' })],
      ['lost', loseWrites({ methods: ['COMMIT', 'ROLLBACK'] })],
    ])('ends the transaction of a COMMIT or ROLLBACK that is %s', async (_how, fault) => {
      await withFault(fault, bindMysql2(connection), async (injection) => {
        for (const end of ['commit', 'rollback']) {
          await connection.beginTransaction()
          await connection.query(insert)
          await connection.query(end).catch(() => undefined)
        }
        expect(injection.affected).toBe(2)
      })
      await connection.query(insert)
      await connection.query('rollback')
      expect(await rows()).toBe(1)
    })

    it('keeps the transaction of a refused ROLLBACK TO, as the server does', async () => {
      await withFault(
        refuseCalls({ methods: 'ROLLBACK', error: 'mysql/lock-wait' }),
        bindMysql2(connection),
        async () => {
          await connection.beginTransaction()
          await connection.query('savepoint a')
          await connection.query(insert)
          await expect(connection.query('rollback to savepoint a')).rejects.toMatchObject({ errno: 1205 })
          await connection.commit()
        },
      )
      expect(await rows()).toBe(1)
    })

    it('keeps the statements of a connection in their order', async () => {
      const clock = manualClock()
      const delay = await inject(delayCalls({ methods: 'INSERT', delayMs: 100 }), bindMysql2(connection), { clock })
      const done = Promise.all([
        connection.beginTransaction(),
        connection.query(insert),
        connection.commit(),
        connection.execute(insert),
      ])
      for (const written of [0, 1]) {
        await vi.waitFor(() => expect(delay.held).toBe(1))
        expect(await rows()).toBe(written)
        await clock.advance(100)
      }
      await done
      expect(await rows()).toBe(2)
      await delay.rollback()
    })

    it('does the statement and fails it, forgets, repeats, damages, and answers with what was', async () => {
      await withFault(
        failAfterCall({ methods: 'INSERT', error: 'mysql/connection-lost' }),
        bindMysql2(pool),
        async () => {
          const lost = { code: 'PROTOCOL_CONNECTION_LOST', ...(!HANDS_OUT_COPIES && { fatal: true }) }
          await expect(pool.query(insert)).rejects.toMatchObject(lost)
          await expect(pool.execute('insert into entries values (?)', ['text'])).rejects.toMatchObject(lost)
        },
      )
      expect(await rows()).toBe(2)
      await withFault(loseWrites({ methods: 'INSERT', answer: { affectedRows: 1 } }), bindMysql2(pool), async () =>
        expect((await pool.query<ResultSetHeader>(insert))[0].affectedRows).toBe(1),
      )
      expect(await rows()).toBe(2)
      await withFault(duplicateWrites({ methods: 'INSERT' }), bindMysql2(pool), async () => {
        expect((await pool.execute<ResultSetHeader>('insert into entries values (?)', ['text']))[0].affectedRows).toBe(
          1,
        )
      })
      await vi.waitFor(async () => expect(await rows()).toBe(4))
      await withFault(corruptResults({ methods: 'SELECT' }), bindMysql2(pool), async () => {
        const [result, fields] = await pool.query('select name from entries')
        expect(result).toEqual([{ name: 'text' }, { name: 'text' }])
        expect(fields).toMatchObject([{ name: 'name' }])
      })
      await withFault(serveStaleReads({ methods: 'SELECT' }), bindMysql2(pool), async () => {
        const count = async (): Promise<unknown> => (await pool.query('select count(*) as n from entries'))[0]
        expect(await count()).toEqual([{ n: 4 }])
        await pool.query(insert)
        expect(await count()).toEqual([{ n: 4 }])
      })
    })

    it('tells of a statement that cannot be prepared what the driver tells', async () => {
      await withFault(delayCalls({ methods: 'SELECT', delayMs: 1 }), bindMysql2(connection), async () => {
        await expect(connection.execute('select nothing from nowhere')).rejects.toMatchObject({
          code: 'ER_NO_SUCH_TABLE',
        })
      })
    })

    it('breaks statements whose rows come as events or a stream', async () => {
      await witness.query("insert into entries values ('a'), ('b')")
      const core = coreOf(connection)
      const read = async (): Promise<unknown> => {
        const names: unknown[] = []
        for await (const row of core.query('select name from entries').stream())
          names.push((row as { name: string }).name)
        return names
      }
      const target = bindMysql2(connection)
      await withFault(refuseCalls({ methods: 'SELECT', message: 'refused' }), target, () =>
        expect(read()).rejects.toThrow('refused'),
      )
      await withFault(delayCalls({ methods: 'SELECT', delayMs: 1 }), target, async () =>
        expect(await read()).toEqual(['a', 'b']),
      )
      await withFault(failAfterCall({ methods: 'SELECT', message: 'cut' }), target, () =>
        expect(read()).rejects.toThrow('cut'),
      )
      await withFault(duplicateWrites({ methods: 'SELECT' }), target, async () =>
        expect(await read()).toEqual(['a', 'b']),
      )
      expect(await read()).toEqual(['a', 'b'])
    })

    it("waits: time out, hang, and the driver's own timeout", async () => {
      const clock = manualClock()
      const timeOut = await inject(timeOutCalls({ timeoutMs: 50, error: 'mysql/lock-wait' }), bindMysql2(connection), {
        clock,
      })
      const error = rejection(connection.query('select 1'))
      await vi.waitFor(() => expect(timeOut.held).toBe(1))
      await clock.advance(50)
      expect(await error).toMatchObject({ errno: 1205, sql: 'select 1' })
      await timeOut.rollback()

      const real = await rejection(connection.query({ sql: 'select sleep(0.5)', timeout: 20 }))
      const hang = await inject(hangCalls({ methods: 'SELECT' }), bindMysql2(connection), { clock })
      const late = rejection(connection.query({ sql: 'select 1', timeout: 20 }))
      const answer = connection.query('select 7 as n')
      // The connection is busy until the server has slept.
      await vi.waitFor(() => expect(hang.held).toBe(1))
      await clock.advance(20)
      expect(describeError(await late)).toEqual(describeError(real))
      await hang.rollback()
      expect((await answer)[0]).toEqual([{ n: 7 }])
    })

    it.each([
      ['ECONNRESET', 'ECONNRESET'],
      ['mysql/connection-lost', 'PROTOCOL_CONNECTION_LOST'],
    ] as const)(
      'tells the caller of a statement that fails with %s after its connection was ended',
      async (error, code) => {
        const ending = await promises.createConnection(address())
        const events = vi.fn()
        ending.on('error', events)
        const fault = await inject(failAfterCall({ error }), bindMysql2(ending))
        const answer = ending.query('select 1')
        await Promise.all([ending.end(), expect(answer).rejects.toMatchObject({ code })])
        await fault.rollback()
        expect(events).not.toHaveBeenCalled()
      },
    )

    it('fails a held statement when its connection is lost, as the driver does while a server is busy', async () => {
      const lifeOf = async (isHeld: boolean): Promise<readonly unknown[]> => {
        const few = mysql.createPool({ ...address(), connectionLimit: 1 })
        const one = await few.promise().getConnection()
        const hang = isHeld ? await inject(hangCalls({ methods: 'SELECT' }), bindMysql2(few)) : undefined
        const held = rejection(one.query(isHeld ? 'select 1' : 'select sleep(5)'))
        const behind = rejection(one.query('select 2'))
        if (isHeld) await vi.waitFor(() => expect(hang?.held).toBe(1))
        await witness.query('kill connection ?', [coreOf(one).threadId])
        const errors = [await held, await behind].map((error) => describeError(error))
        const after = await few.promise().query('insert into entries values (1)')
        await hang?.rollback()
        const { _allConnections: all, _freeConnections: free } = few as unknown as Record<string, { length: number }>
        await few.promise().end()
        return [errors, after[0].constructor.name, all?.length, free?.length]
      }
      expect(await lifeOf(true)).toEqual(await lifeOf(false))
    })

    it('ends a connection behind its held statement, and keeps one whose statement timed out in use', async () => {
      const freeAfterTimeout = async (isHeld: boolean): Promise<readonly unknown[]> => {
        const few = mysql.createPool({ ...address(), connectionLimit: 1 })
        const { _freeConnections: free } = few as unknown as { readonly _freeConnections: { readonly length: number } }
        await few.promise().query('insert into entries values (1)')
        const hang = isHeld ? await inject(hangCalls({ methods: 'SELECT' }), bindMysql2(few)) : undefined
        const sql = isHeld ? 'select 1' : 'select sleep(0.2)'
        const { message } = await rejection(few.promise().query({ sql, timeout: 20 }))
        const counts = [free.length]
        await hang?.rollback()
        await few.promise().query('insert into entries values (1)')
        counts.push(free.length)
        await few.promise().end()
        return [message, counts]
      }
      expect(await freeAfterTimeout(true)).toEqual(await freeAfterTimeout(false))

      const ending = await promises.createConnection(address())
      const hang = await inject(hangCalls(), bindMysql2(ending))
      const answer = ending.query('select 7 as n')
      const ended = ending.end()
      await hang.rollback()
      expect((await answer)[0]).toEqual([{ n: 7 }])
      await ended
    })

    it('leaves nothing on a statement or a connection that it held', async () => {
      const one = coreOf(connection)
      const before = [Reflect.ownKeys(one), Object.getPrototypeOf(one)]
      await withFault(delayCalls({ delayMs: 1 }), bindMysql2(connection), async () => {
        const command = one.query('select 1')
        const keys = Reflect.ownKeys(command)
        await once(command, 'end')
        expect(Reflect.ownKeys(command)).toEqual(keys)
        await connection.execute('select ?', [1])
      })
      expect([Reflect.ownKeys(one), Object.getPrototypeOf(one)]).toEqual(before)
    })

    it('fails a connection that loses the last reply of its handshake, and closes it', async () => {
      const few = promises.createPool(address())
      onTestFinished(() => few.end())
      const connected = async (): Promise<unknown> =>
        (await witness.query<RowDataPacket[]>("show status like 'Threads_connected'"))[0][0]?.['Value']
      const before = await connected()
      const ways = [
        [bindMysql2(mysql.Connection), () => promises.createConnection(address())],
        [bindMysql2(few), () => few.getConnection()],
      ] as const
      for (const [target, connect] of ways)
        await withFault(failAfterCall({ methods: 'connect', message: 'lost' }), target, async (injection) => {
          expect(await rejection(connect())).toMatchObject({ message: 'lost' })
          expect(injection.affected).toBe(1)
        })
      await vi.waitFor(async () => expect(await connected()).toBe(before))
    })

    it('affects how connections of the class connect, where it is asked to', async () => {
      const connect = (): Promise<promises.Connection> => promises.createConnection(address())
      const refuse = refuseCalls({ methods: 'connect', error: 'mysql/too-many-connections' })
      await withFault(refuse, bindMysql2(mysql.Connection), async (injection) => {
        await expect(connect()).rejects.toMatchObject({ code: 'ER_CON_COUNT_ERROR', errno: 1040 })
        const few = promises.createPool(address())
        await expect(few.query('select 1')).rejects.toMatchObject({ errno: 1040 })
        await few.end()
        expect(injection.affected).toBe(2)
      })
      for (const [fault, message] of [
        [refuseCalls({ methods: 'connect', error: 'ECONNREFUSED' }), 'connect ECONNREFUSED'],
        [failAfterCall({ methods: 'connect' }), 'read ECONNRESET'],
      ] as const)
        await withFault(fault, bindMysql2(mysql.Connection), () => expect(connect()).rejects.toThrow(message))
      await withFault(delayCalls({ methods: 'connect', delayMs: 1 }), bindMysql2(mysql.Connection), async (delay) => {
        const late = await connect()
        expect(delay.affected).toBe(1)
        expect((await late.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
        expect(Object.hasOwn(coreOf(late), 'handlePacket') || Object.hasOwn(coreOf(late), 'emit')).toBe(false)
        late.destroy()
      })
    })

    it('flaps, and limits the rate', async () => {
      const clock = manualClock()
      const flap = await inject(flapCalls({ downMs: 10, upMs: 10, error: 'ECONNREFUSED' }), bindMysql2(pool), {
        clock,
      })
      await expect(pool.query('select 1')).rejects.toThrow(`connect ECONNREFUSED 127.0.0.1:${server.port}`)
      await clock.advance(10)
      expect((await pool.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
      await flap.rollback()
      await withFault(limitRate({ calls: 1, perMs: 60_000 }), bindMysql2(mysql.Connection), async () => {
        await connection.query('select 1')
        await expect(connection.query('select 1')).rejects.toThrow('Too Many Requests')
      })
    })

    it('fails the handing out of a connection where it is asked to, and keeps none', async () => {
      const few = promises.createPool({ ...address(), connectionLimit: 1 })
      onTestFinished(() => few.end())
      await withFault(
        refuseCalls({ methods: 'connect', error: 'mysql/too-many-connections' }),
        bindMysql2(few),
        async () => {
          await expect(few.getConnection()).rejects.toMatchObject({ code: 'ER_CON_COUNT_ERROR' })
          await expect(few.query('select 1')).rejects.toMatchObject({ errno: 1040 })
        },
      )
      await withFault(failAfterCall({ methods: 'connect' }), bindMysql2(few), () =>
        expect(few.getConnection()).rejects.toThrow('read ECONNRESET'),
      )
      await withFault(delayCalls({ methods: 'connect', delayMs: 1 }), bindMysql2(few), async () => {
        const taken = await few.getConnection()
        taken.release()
      })
      expect((await few.query('select 1 as n'))[0]).toEqual([{ n: 1 }])
    })

    it.each([
      [{}, 'an object of class Object'],
      [Map, 'the function `Map`'],
    ])('binds no other object: %o', (value, words) => {
      expect(() => bindMysql2(value as unknown as mysql.Pool)).toThrow(
        `Expected a pool or a connection of mysql2, or the class mysql.Connection, got ${words}`,
      )
    })

    it('refuses names that are no verbs', async () => {
      await expect(inject(refuseCalls({ methods: 'connect' }), bindMysql2(connection))).rejects.toThrow(
        'Unknown command "connect" of the client',
      )
    })
  },
)
