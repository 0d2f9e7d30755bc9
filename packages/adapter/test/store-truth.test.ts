import net from 'node:net'
import { withFault, type Fault, type Injection } from '@chaos/core'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { duplicateWrites, failAfterCall, hangCalls, loseWrites, refuseCalls } from '../src/index.js'

const answers = (port: number): Promise<boolean> =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
const isThere = async (port: number): Promise<boolean> => process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || answers(port)
const [hasRedis, hasPostgres] = await Promise.all([isThere(6379), isThere(5432)])

/** A counter at a real server, seen by the application and by a witness with a connection of its own. */
interface Counter {
  /** What the application holds, and what faults break. */
  readonly client: object
  readonly method: string
  readonly increment: (signal?: AbortSignal) => Promise<unknown>
  readonly witnessed: () => Promise<number>
}

function tellsTheTruth(counter: () => Counter): void {
  const CALLS = 60

  /** Increments so often with a fault in force. @returns How the callers fared, and by how much the server counted. */
  async function run(fault: (options: { methods: string }) => Fault<object>, rate: number): Promise<{ acknowledged: number; failed: number; counted: number; injection: Injection }> {
    const { client, method, increment, witnessed } = counter()
    const before = await witnessed()
    return withFault(fault({ methods: method }), client, async (injection) => {
      const calls = await Promise.allSettled(Array.from({ length: CALLS }, () => increment()))
      const acknowledged = calls.filter(({ status }) => status === 'fulfilled').length
      return { acknowledged, failed: CALLS - acknowledged, counted: (await witnessed()) - before, injection }
    }, { rate, seed: 1 })
  }

  it('never sees an operation that was refused', async () => {
    for (const rate of [1, 0.5]) {
      const { acknowledged, failed, counted, injection } = await run(refuseCalls, rate)
      expect([failed, acknowledged, counted]).toEqual([injection.affected, CALLS - injection.affected, CALLS - injection.affected])
      expect(failed).toBeGreaterThan(0)
    }
  })

  it('never sees an operation that was lost, although its caller heard that it was done', async () => {
    for (const rate of [1, 0.5]) {
      const { acknowledged, counted, injection } = await run(loseWrites, rate)
      expect([acknowledged, counted]).toEqual([CALLS, CALLS - injection.affected])
      expect(injection.affected).toBeGreaterThan(0)
    }
  })

  it('always sees an operation that failed after the call', async () => {
    for (const rate of [1, 0.5]) {
      const { failed, counted, injection } = await run(failAfterCall, rate)
      expect([failed, counted]).toEqual([injection.affected, CALLS])
      expect(failed).toBeGreaterThan(0)
    }
  })

  it('sees a duplicated operation twice', async () => {
    const { witnessed } = counter()
    const before = await witnessed()
    const { acknowledged, injection } = await run(duplicateWrites, 0.5)
    expect(acknowledged).toBe(CALLS)
    // Nobody waits for the copies: what comes behind them on the same connections does.
    await Promise.all(Array.from({ length: 10 }, () => counter().increment()))
    await expect.poll(async () => (await witnessed()) - before).toBe(CALLS + injection.affected + 10)
  })

  it('never sees an operation that was given up while it hung', async () => {
    const { client, method, increment, witnessed } = counter()
    const before = await witnessed()
    await withFault(hangCalls({ methods: method }), client, async () => {
      const caller = new AbortController()
      const call = increment(caller.signal)
      caller.abort('enough')
      await expect(call).rejects.toBe('enough')
    })
    expect(await witnessed()).toBe(before)
  })
}

describe.runIf(hasRedis)('Redis (skipped without a server at 127.0.0.1:6379: Debian package redis-server)', () => {
  const key = `chaos-adapter-${process.pid}-${Date.now()}`
  let client: Redis
  let witness: Redis
  beforeAll(async () => {
    client = new Redis(6379, '127.0.0.1')
    witness = new Redis(6379, '127.0.0.1')
    await client.set(key, 0)
  })
  afterAll(async () => {
    await witness.del(key)
    await Promise.all([client.quit(), witness.quit()])
  })
  tellsTheTruth(() => ({
    client,
    method: 'incr',
    increment: (signal) => (client.incr as (...args: unknown[]) => Promise<unknown>)(...(signal === undefined ? [key] : [key, signal])),
    witnessed: async () => Number(await witness.get(key)),
  }))
})

describe.runIf(hasPostgres)('PostgreSQL (skipped without a server at 127.0.0.1:5432: Debian package postgresql)', () => {
  const table = `chaos_adapter_${process.pid}_${Date.now()}`
  const address = { host: '127.0.0.1', user: 'root', database: 'test', max: 3 }
  let pool: pg.Pool
  let witness: pg.Pool
  beforeAll(async () => {
    pool = new pg.Pool(address)
    witness = new pg.Pool(address)
    await witness.query(`create table ${table} (id serial)`)
  })
  afterAll(async () => {
    await witness.query(`drop table ${table}`)
    await Promise.all([pool.end(), witness.end()])
  })
  tellsTheTruth(() => ({
    client: pool,
    method: 'query',
    increment: (signal) => pool.query(signal === undefined ? { text: `insert into ${table} default values` } : ({ text: `insert into ${table} default values`, signal } as pg.QueryConfig)),
    witnessed: async () => Number((await witness.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]?.count),
  }))
})
