import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe } from 'vitest'
import { hasPrograms, ownMariaDb, ownPostgres, ownRedis, SERVER_TIMEOUT_MS, type OwnServer } from '@chaos/test-servers'
import { bindIoredis } from '../src/drivers/ioredis/index.js'
import { bindMongodb } from '../src/drivers/mongodb/index.js'
import { bindMysql2 } from '../src/drivers/mysql2/index.js'
import { bindNodeRedis } from '../src/drivers/node-redis/index.js'
import { bindPg } from '../src/drivers/pg/index.js'
import { mongoDouble, type MongoDouble } from './mongo-double.js'
import { tellsTheTruth } from './tells-the-truth.js'

/** Ways to do the same, one after the other. */
function inTurn(...ways: readonly (() => Promise<unknown>)[]): () => Promise<unknown> {
  let calls = 0
  return () => (ways[(calls += 1) % ways.length] as () => Promise<unknown>)()
}

describe.runIf(hasPrograms('redis-server'))(
  'Redis, by bound clients (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    let witness: Redis
    let client: Redis
    let other: ReturnType<typeof createClient>
    beforeAll(async () => {
      server = await ownRedis()
      witness = new Redis(server.port)
      client = new Redis(server.port)
      other = createClient({ socket: { host: '127.0.0.1', port: server.port } })
      await other.connect()
    })
    afterAll(async () => {
      witness.disconnect()
      client.disconnect()
      other.destroy()
      await server.stop()
    })
    const witnessed = async (): Promise<number> => Number(await witness.get('n'))

    describe('ioredis, with commands, pipelines and transactions', () => {
      const first = (results: readonly (readonly [Error | null, unknown])[] | null): unknown => {
        const [error, value] = results?.[0] ?? []
        if (error instanceof Error) throw error
        return value
      }
      const increment = inTurn(
        () => client.incr('n'),
        () => client.pipeline().incr('n').get('n').exec().then(first),
        () => client.multi().incr('n').get('n').exec().then(first),
      )
      tellsTheTruth(() => ({ client: bindIoredis(client), method: 'INCR', increment, witnessed }), {
        takesSignal: false,
      })
    })

    describe('node-redis, with commands, pipelines and transactions', () => {
      const increment = inTurn(
        () => other.incr('n'),
        () => other.multi().incr('n').get('n').execAsPipeline(),
        () => other.multi().incr('n').get('n').exec(),
      )
      tellsTheTruth(() => ({ client: bindNodeRedis(other), method: 'INCR', increment, witnessed }), {
        takesSignal: false,
      })
    })
  },
)

describe.runIf(hasPrograms('initdb', 'postgres'))(
  'PostgreSQL, by a bound pool (skipped without `initdb` and `postgres`: Debian package postgresql)',
  () => {
    let server: OwnServer
    let pool: pg.Pool
    let witness: pg.Pool
    beforeAll(async () => {
      server = await ownPostgres()
      const address = { host: '127.0.0.1', port: server.port, user: 'root', database: 'postgres' }
      pool = new pg.Pool({ ...address, max: 3 }).on('error', () => undefined)
      witness = new pg.Pool(address)
      await witness.query('create table entries (id serial)')
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await Promise.all([pool.end(), witness.end()])
      await server.stop()
    })
    const text = 'insert into entries default values'
    tellsTheTruth(
      () => ({
        client: bindPg(pool),
        method: 'INSERT',
        increment: () => pool.query(text),
        witnessed: async () =>
          Number((await witness.query<{ count: string }>('select count(*) from entries')).rows[0]?.count),
      }),
      { takesSignal: false },
    )
  },
)

describe.runIf(hasPrograms('mariadbd', 'mariadb-install-db'))(
  'MariaDB, by a bound pool (skipped without `mariadbd`: Debian package mariadb-server)',
  () => {
    let server: OwnServer
    let pool: mysql.Pool
    let witness: mysql.Connection
    beforeAll(async () => {
      server = await ownMariaDb()
      witness = await mysql.createConnection({ host: '127.0.0.1', port: server.port, user: 'root' })
      await witness.query('create database app')
      await witness.query('create table app.entries (id int auto_increment primary key)')
      pool = mysql.createPool({
        host: '127.0.0.1',
        port: server.port,
        user: 'root',
        database: 'app',
        connectionLimit: 3,
      })
    }, SERVER_TIMEOUT_MS)
    afterAll(async () => {
      await pool.end()
      witness.destroy()
      await server.stop()
    })
    const increment = inTurn(
      () => pool.query('insert into entries values ()'),
      () => pool.execute('insert into entries values ()'),
    )
    tellsTheTruth(
      () => ({
        client: bindMysql2(pool),
        method: 'INSERT',
        increment,
        witnessed: async () =>
          ((await witness.query('select count(*) as n from app.entries'))[0] as [{ n: number }])[0].n,
      }),
      { takesSignal: false },
    )
  },
)

describe('mongodb, by a bound client (its driver, and a double of the server at the wire)', () => {
  let double: MongoDouble
  let client: MongoClient
  beforeAll(async () => {
    double = await mongoDouble()
    client = await new MongoClient(`mongodb://127.0.0.1:${double.port}`).connect()
  })
  afterAll(async () => {
    await client.close()
    await double.close()
  })
  tellsTheTruth(() => ({
    client: bindMongodb(client),
    method: 'insert',
    // One that ends a connection makes the driver clear its pool, and others fail with it.
    error: 'mongodb/write-conflict',
    increment: (signal) =>
      client.db('app').command({ insert: 'entries', documents: [{}] }, signal === undefined ? {} : { signal }),
    witnessed: () => Promise.resolve(double.documents('entries').length),
  }))
})
