import net from 'node:net'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { tellsTheTruth } from './tells-the-truth.js'

const answers = (port: number): Promise<boolean> =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
const isThere = async (port: number): Promise<boolean> =>
  process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || answers(port)
const [hasRedis, hasPostgres] = await Promise.all([isThere(6379), isThere(5432)])

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
    increment: (signal) =>
      (client.incr as (...args: unknown[]) => Promise<unknown>)(...(signal === undefined ? [key] : [key, signal])),
    witnessed: async () => Number(await witness.get(key)),
  }))
})

describe.runIf(hasPostgres)(
  'PostgreSQL (skipped without a server at 127.0.0.1:5432: Debian package postgresql)',
  () => {
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
      increment: (signal) =>
        pool.query(
          signal === undefined
            ? { text: `insert into ${table} default values` }
            : ({ text: `insert into ${table} default values`, signal } as pg.QueryConfig),
        ),
      witnessed: async () =>
        Number((await witness.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]?.count),
    }))
  },
)
