// Holds calls of every driver, closes what they are held on, and lets their time come, or takes the fault back: by the built package, with real clients. Prints as JSON what the caller
// heard and what nobody caught. In a process of its own: what runs on a closed database touches memory that is freed, and ends a process.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { delayCalls, duplicateWrites, failAfterCall, hangCalls, timeOutCalls } from '@chaos/adapter'
import { bindIoredis } from '@chaos/adapter/ioredis'
import { bindLevel } from '@chaos/adapter/level'
import { bindMysql2 } from '@chaos/adapter/mysql2'
import { bindNodeRedis } from '@chaos/adapter/node-redis'
import { bindPg } from '@chaos/adapter/pg'
import { Redis } from 'ioredis'
import { Level } from 'level'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'

const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(`exception: ${error.message}`))
process.on('unhandledRejection', (error) => uncaught.push(`rejection: ${error?.message}`))
const nothing = () => undefined

/** What sends a call before it breaks it. mysql2 itself never answers a statement that was sent when its connection is destroyed, so there is nothing to hear. */
const SENT_FIRST = ['delay of the answer', 'late copy', 'copy at once', 'fail after the call']

const FAULTS = {
  delay: () => delayCalls({ delayMs: 50 }),
  'delay of the answer': () => delayCalls({ delayMs: 50, seam: 'response' }),
  hang: () => hangCalls(),
  'time out': () => timeOutCalls({ timeoutMs: 50 }),
  'late copy': () => duplicateWrites({ methods: '*', afterMs: 50 }),
  'copy at once': () => duplicateWrites({ methods: '*' }),
  'fail after the call': () => failAfterCall(),
}

/** Each scene: what is broken, how it is called, how it is closed, and whether closing waits for calls as in health. */
function scenesOf({ postgres, mariadb, redis }) {
  const level = (name, call, waits = false, close = (db) => db.close()) => ({
    name: `level, ${name}`,
    waits,
    open: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'held-'))
      const db = new Level(folder)
      await db.open()
      await db.put('a', '1')
      return {
        target: bindLevel(db),
        call: () => call(db),
        close: () => close(db),
        dispose: () => rmSync(folder, { recursive: true }),
      }
    },
  })
  const scenes = [
    level('get', (db) => db.get('a')),
    level('getMany', (db) => db.getMany(['a'])),
    level('put', (db) => db.put('b', '2')),
    level('del', (db) => db.del('a')),
    level('batch', (db) => db.batch([{ type: 'put', key: 'c', value: '3' }])),
    level('a chained batch', (db) => db.batch().put('d', '4').write(), true),
    level('clear', (db) => db.clear()),
    level(
      'clear, and it is opened again',
      (db) => db.clear(),
      false,
      async (db) => {
        await db.close()
        await db.open()
      },
    ),
    level('an iterator', (db) => db.iterator().next(), true),
    level('keys', (db) => db.keys().all(), true),
    level('a sublevel', (db) => db.sublevel('x').get('a')),
    level(
      'a snapshot that is closed',
      async (db) => {
        const snapshot = db.snapshot()
        try {
          return await db.get('a', { snapshot })
        } finally {
          await snapshot.close()
        }
      },
      true,
    ),
  ]
  const addClient = (name, make, waits = false) =>
    scenes.push({ name, waits, open: async () => ({ dispose: nothing, ...(await make()) }) })
  if (redis !== undefined) {
    for (const how of ['quit', 'disconnect']) {
      addClient(
        `ioredis, ${how}`,
        async () => {
          const client = new Redis(redis)
          await client.ping()
          return { target: bindIoredis(client), call: () => client.set('a', '1'), close: async () => client[how]() }
        },
        how === 'quit',
      )
    }
    for (const how of ['close', 'destroy']) {
      addClient(
        `node-redis, ${how}`,
        async () => {
          const client = await createClient({ socket: { port: redis } })
            .on('error', nothing)
            .connect()
          return { target: bindNodeRedis(client), call: () => client.set('a', '1'), close: async () => client[how]() }
        },
        how === 'close',
      )
    }
  }
  if (postgres !== undefined) {
    addClient('a client of pg, end', async () => {
      const client = new pg.Client(postgres)
      client.on('error', nothing)
      await client.connect()
      return { target: bindPg(client), call: () => client.query('select 1'), close: () => client.end() }
    })
    addClient(
      'a pool of pg, end',
      async () => {
        const pool = new pg.Pool(postgres)
        pool.on('error', nothing)
        return { target: bindPg(pool), call: () => pool.query('select 1'), close: () => pool.end() }
      },
      true,
    )
  }
  if (mariadb !== undefined) {
    for (const how of ['end', 'destroy']) {
      addClient(
        `a connection of mysql2, ${how}`,
        async () => {
          const connection = await mysql.createConnection(mariadb)
          connection.on('error', nothing)
          return {
            target: bindMysql2(connection),
            call: () => connection.query('select 1'),
            close: async () => connection[how](),
          }
        },
        how === 'end',
      )
    }
    addClient(
      'a pool of mysql2, end',
      async () => {
        const pool = mysql.createPool(mariadb)
        await pool.query('select 1')
        return { target: bindMysql2(pool), call: () => pool.query('select 1'), close: () => pool.end() }
      },
      true,
    )
  }
  addClient(
    'a plain object over http',
    async () => {
      const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      const api = {
        get: () =>
          new Promise((resolve, reject) =>
            get({ port: server.address().port, agent: false }, (response) => resolve(response.resume().statusCode)).on(
              'error',
              reject,
            ),
          ),
      }
      return {
        target: api,
        methods: 'get',
        call: () => api.get(),
        close: () => new Promise((resolve) => server.close(resolve)),
      }
    },
    true,
  )
  return scenes
}

/** Longest wait for a caller to hear something, in ms: who hears nothing shows in the rows. */
const SILENCE_MS = 2_000
const silence = () => new Promise((resolve) => setTimeout(resolve, SILENCE_MS).unref())

async function row({ name, open, waits }, fault, makeFault, ending) {
  const before = uncaught.length
  const scene = await open()
  const clock = manualClock()
  const injection = await inject(makeFault(), scene.target, { clock, leaseMs: 600_000 })
  let heard = 'nothing yet'
  const answer = Promise.resolve(scene.call()).then(
    () => (heard = 'an answer'),
    (error) => (heard = error.code ?? error.message),
  )
  for (let n = 0; n < 20; n += 1) await turn()
  const closing = Promise.resolve(scene.close()).catch(nothing)
  if (!waits) await Promise.race([closing, answer.then(() => closing)])
  for (let n = 0; n < 20; n += 1) await turn()
  if (ending === 'its time comes') await clock.advance(50)
  const { held, account } = await injection.rollback()
  await Promise.race([answer, silence()])
  await Promise.race([closing, silence()])
  await scene.dispose()
  for (let n = 0; n < 20; n += 1) await turn()
  return { name, fault, ending, held, heard, lost: account.lost ?? 0, uncaught: uncaught.slice(before) }
}

async function rowsOf(servers) {
  const all = []
  for (const scene of scenesOf(servers)) {
    for (const [fault, makeFault] of Object.entries(FAULTS)) {
      for (const ending of ['its time comes', 'it is taken back']) {
        if (scene.name === 'a connection of mysql2, destroy' && SENT_FIRST.includes(fault)) continue
        if (scene.name.startsWith('a plain') && !['delay', 'hang'].includes(fault)) continue
        all.push(
          await row(
            scene,
            fault,
            scene.name.startsWith('a plain')
              ? () => (fault === 'hang' ? hangCalls({ methods: 'get' }) : delayCalls({ methods: 'get', delayMs: 50 }))
              : makeFault,
            ending,
          ),
        )
      }
    }
  }
  return all
}

const output = await rowsOf(JSON.parse(process.env.HELD_SERVERS ?? '{}')).then(JSON.stringify, (error) => ({ error }))
if (typeof output === 'string') process.stdout.write(output, () => process.exit())
else process.stderr.write(`${output.error.stack}\n`, () => process.exit(1))
