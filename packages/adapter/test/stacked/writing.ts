import { Redis } from 'ioredis'
import { Level } from 'level'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createClient } from 'redis'
import { breakable } from '../../src/calls/index.js'
import { bindIoredis } from '../../src/drivers/ioredis/index.js'
import { bindLevel } from '../../src/drivers/level/index.js'
import { bindMongodb } from '../../src/drivers/mongodb/index.js'
import { bindMysql2 } from '../../src/drivers/mysql2/index.js'
import { bindNodeRedis } from '../../src/drivers/node-redis/index.js'
import { bindPg } from '../../src/drivers/pg/index.js'
import { mongoDouble } from '../mongo-double.js'
import { mariadb, postgres, redis } from './servers.js'
import type { Subjects } from './subject.js'

const adds = { writes: 1, copyWrites: 1 } as const
const nothing = (): Promise<void> => Promise.resolve()
const insert = "insert into entries values ('text')"

/** Operations that write. */
export const writes: Subjects = {
  'a method': {
    needs: [],
    open() {
      let n = 0
      const store = { add: async () => Promise.resolve((n += 1)) }
      return Promise.resolve({
        ...{ target: store, methods: 'add', ...adds, close: nothing },
        operate: () => store.add(),
        written: () => n,
      })
    },
  },
  'a function with a callback': {
    needs: [],
    open() {
      let n = 0
      const add = breakable(function add(callback: (error: Error | null, result?: unknown) => void): void {
        n += 1
        process.nextTick(callback, null, n)
      })
      return Promise.resolve({
        ...{ target: add, methods: 'add', ...adds, close: nothing },
        operate: () =>
          new Promise((resolve, reject) => add((error, n) => (error === null ? resolve(n) : reject(error)))),
        written: () => n,
      })
    },
  },
  'a pool of pg': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address, written } = await postgres()
      const pool = new pg.Pool(address)
      return {
        ...{ target: bindPg(pool), methods: 'INSERT', ...adds, written },
        operate: () => pool.query(insert),
        close: () => pool.end(),
      }
    },
  },
  'a client of pg, with a prepared statement in a transaction': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address, written } = await postgres()
      const client = new pg.Client(address)
      await client.connect()
      return {
        ...{ target: bindPg(client), methods: 'INSERT', ...adds, written },
        async operate() {
          await client.query('begin')
          try {
            return await client.query({ name: 'add', text: 'insert into entries values ($1)', values: ['text'] })
          } finally {
            await client.query('commit')
          }
        },
        close: () => client.end(),
      }
    },
  },
  'the class pg.Client, with a pipeline': {
    needs: ['initdb', 'postgres'],
    async open() {
      const { address, written } = await postgres()
      const client = new pg.Client({ ...address, pipeline: true })
      await client.connect()
      return {
        ...{ target: bindPg(pg.Client), methods: 'INSERT', ...adds, written },
        operate: () => Promise.all([client.query(insert), client.query('select 1')]).then(([result]) => result),
        close: () => client.end(),
      }
    },
  },
  'a pool of mysql2': {
    needs: ['mariadbd', 'mariadb-install-db'],
    async open() {
      const { address, written } = await mariadb()
      const pool = mysql.createPool(address)
      return {
        ...{ target: bindMysql2(pool), methods: 'INSERT', ...adds, written },
        operate: () => pool.query(insert),
        close: () => pool.end(),
      }
    },
  },
  'a connection of mysql2, with a prepared statement in a transaction': {
    needs: ['mariadbd', 'mariadb-install-db'],
    async open() {
      const { address, written } = await mariadb()
      const connection = await mysql.createConnection(address)
      return {
        ...{ target: bindMysql2(connection), methods: 'INSERT', ...adds, written },
        async operate() {
          await connection.beginTransaction()
          try {
            return await connection.execute('insert into entries values (?)', ['text'])
          } finally {
            await connection.commit()
          }
        },
        close: () => connection.end(),
      }
    },
  },
  'a client of ioredis': {
    needs: ['redis-server'],
    async open() {
      const { port, written } = await redis()
      const client = new Redis(port)
      return {
        ...{ target: bindIoredis(client), methods: 'RPUSH', ...adds, written },
        operate: () => client.rpush('entries', 'text'),
        close: () => client.quit(),
      }
    },
  },
  'a transaction of ioredis': {
    needs: ['redis-server'],
    async open() {
      const { port, written } = await redis()
      const client = new Redis(port)
      return {
        ...{ target: bindIoredis(client), methods: 'RPUSH', ...adds, written },
        operate: () => client.multi().rpush('entries', 'text').exec(),
        close: () => client.quit(),
      }
    },
  },
  'a client of node-redis': {
    needs: ['redis-server'],
    async open() {
      const { port, written } = await redis()
      const client = createClient({ socket: { host: '127.0.0.1', port } })
      await client.connect()
      return {
        ...{ target: bindNodeRedis(client), methods: 'RPUSH', ...adds, written },
        operate: () => client.rPush('entries', 'text'),
        close: () => client.close(),
      }
    },
  },
  'a transaction of node-redis': {
    needs: ['redis-server'],
    async open() {
      const { port, written } = await redis()
      const client = createClient({ socket: { host: '127.0.0.1', port } })
      await client.connect()
      return {
        ...{ target: bindNodeRedis(client), methods: 'RPUSH', ...adds, written },
        operate: () => client.multi().rPush('entries', 'text').exec(),
        close: () => client.close(),
      }
    },
  },
  'a client of mongodb': {
    needs: [],
    async open() {
      const double = await mongoDouble()
      const client = await new MongoClient(`mongodb://127.0.0.1:${double.port}`).connect()
      return {
        ...{ target: bindMongodb(client), methods: 'insert', ...adds },
        operate: () => client.db('app').collection('entries').insertOne({ name: 'text' }),
        written: () => double.received.filter((command) => command === 'insert app.entries').length,
        close: () => client.close().then(() => double.close()),
      }
    },
  },
  'a database of level': {
    needs: [],
    async open() {
      const folder = await mkdtemp(join(tmpdir(), 'chaos-level-'))
      const db = new Level(folder)
      await db.open()
      let key = 0
      return {
        ...{ target: bindLevel(db), methods: 'put', writes: 1, copyWrites: 0 },
        operate: () => db.put(String((key += 1)), 'text'),
        written: async () => (await db.keys().all()).length,
        close: () => db.close().then(() => rm(folder, { recursive: true })),
      }
    },
  },
}
