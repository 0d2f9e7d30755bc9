import { delayCalls, hangCalls, refuseCalls } from '@chaos/adapter'
import { bindIoredis } from '@chaos/adapter/ioredis'
import { bindMysql2 } from '@chaos/adapter/mysql2'
import { bindNodeRedis } from '@chaos/adapter/node-redis'
import { bindPg } from '@chaos/adapter/pg'
import { withFault } from '@chaos/core'
import { SpanStatusCode } from '@opentelemetry/api'
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type * as Ioredis from 'ioredis'
import type { knex as Knex } from 'knex'
import type * as Mysql from 'mysql2/promise'
import { createRequire } from 'node:module'
import type * as Pg from 'pg'
import type * as NodeRedis from 'redis'
import { afterAll, expect, it, vi } from 'vitest'
import { expectTable } from '../../src/page-table.js'
import { endOfCall } from '../../src/end-of-call.js'
import { relayTo } from '../../src/mute-relay.js'

/** The timeouts of the clients, and a delay that shows in a span, in ms. */
const [TIMEOUT_MS, DELAY_MS] = [300, 100]

const exporter = new InMemorySpanExporter()
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const instrumentations = getNodeAutoInstrumentations({
  '@opentelemetry/instrumentation-dns': { enabled: false },
  '@opentelemetry/instrumentation-fs': { enabled: false },
  '@opentelemetry/instrumentation-net': { enabled: false },
  '@opentelemetry/instrumentation-ioredis': { requireParentSpan: false },
})
const switchOff = registerInstrumentations({ instrumentations, tracerProvider })
afterAll(switchOff)

// Instrumentations see what is loaded by `require` after them. Other suites of this process may have loaded it before, and
// have it back afterwards: knex requires its driver late, and would meet another copy than they import. What no suite has
// imported before is imported here: Node.js 20 fails to import a module whose parts were required once and then unloaded.
const load = createRequire(import.meta.url)
const unloadDrivers = (): readonly [path: string, module: NodeJS.Module | undefined][] =>
  Object.entries(load.cache).filter(
    ([path]) =>
      /[\\/]node_modules[\\/](?:pg|pg-pool|mysql2|knex|ioredis|redis|@redis[\\/]client)[\\/]/.test(path) &&
      Reflect.deleteProperty(load.cache, path),
  )
await Promise.all(['pg', 'mysql2/promise', 'ioredis', 'redis', 'knex'].map((name) => import(name)))
const loadedBefore = unloadDrivers()
afterAll(() => {
  unloadDrivers()
  Object.assign(load.cache, Object.fromEntries(loadedBefore))
})
const pg = load('pg') as typeof Pg
const mysql = load('mysql2/promise') as typeof Mysql
const { Redis } = load('ioredis') as typeof Ioredis
const { createClient, RedisClient } = load('redis') as typeof NodeRedis
const knex = load('knex') as typeof Knex

/** A connected client with a timeout of its own. */
interface Connected {
  readonly target: object
  readonly call: () => Promise<unknown>
  readonly close: () => unknown
}

interface Kind {
  readonly port: number
  readonly above: string
  readonly below: string
  readonly open: (port: number, timeoutMs: number) => Promise<Connected>
  /** All clients, by their class. */
  readonly all?: () => object
}

const postgres = { host: '127.0.0.1', user: 'postgres', database: 'test' }
const kinds: Readonly<Record<string, Kind>> = {
  pg: {
    port: 5432,
    above: '`pool.query`, spans, the queue of the client, `query_timeout`',
    below: 'the socket',
    async open(port, timeoutMs) {
      const client = new pg.Client({ ...postgres, port, query_timeout: timeoutMs }).on('error', () => undefined)
      await client.connect()
      return { target: bindPg(client), call: () => client.query('select 1'), close: () => client.end() }
    },
  },
  'pg, pool': {
    port: 5432,
    above: '`pool.query`, spans, the queue of the client, `query_timeout`',
    below: 'the socket',
    async open(port, timeoutMs) {
      const pool = new pg.Pool({ ...postgres, port, max: 1, query_timeout: timeoutMs }).on('error', () => undefined)
      await pool.query('select 1')
      return { target: bindPg(pool), call: () => pool.query('select 1'), close: () => pool.end() }
    },
  },
  'knex over pg': {
    port: 5432,
    above: 'knex (pool, transactions), spans, the queue of the client, `query_timeout`',
    below: 'the socket',
    async open(port, timeoutMs) {
      const db = knex({
        client: 'pg',
        connection: { ...postgres, port, query_timeout: timeoutMs },
        pool: { min: 0, max: 1 },
      })
      await db.raw('select 1')
      return {
        target: bindPg(pg.Client),
        call: async (): Promise<unknown> => (await db.raw('select 1')) as unknown,
        close: () => db.destroy(),
      }
    },
  },
  mysql2: {
    port: 3306,
    above: '`pool.query`, spans, the promise API, the queue of the connection, `timeout`',
    below: 'the socket',
    async open(port, timeoutMs) {
      const client = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root', database: 'test' })
      client.on('error', () => undefined)
      return {
        target: bindMysql2(client),
        call: () => client.query({ sql: 'select 1', timeout: timeoutMs }),
        close: () => client.destroy(),
      }
    },
  },
  'mysql2, pool': {
    port: 3306,
    above: '`pool.query`, spans, the promise API, the queue of the connection, `timeout`',
    below: 'the socket',
    async open(port, timeoutMs) {
      const pool = mysql.createPool({ host: '127.0.0.1', port, user: 'root', database: 'test', connectionLimit: 1 })
      await pool.query('select 1')
      return {
        target: bindMysql2(pool),
        call: () => pool.query({ sql: 'select 1', timeout: timeoutMs }),
        close: () => pool.end(),
      }
    },
  },
  ioredis: {
    port: 6379,
    above: 'pipelines, spans, `commandTimeout`, `maxRetriesPerRequest`, the offline queue',
    below: 'the socket',
    all: () => bindIoredis(Redis),
    async open(port, timeoutMs) {
      const client = new Redis({ port, commandTimeout: timeoutMs, lazyConnect: true }).on('error', () => undefined)
      await client.connect()
      return { target: bindIoredis(client), call: () => client.get('none'), close: () => client.disconnect() }
    },
  },
  'node-redis': {
    port: 6379,
    above: 'pipelines, spans, the queue of commands, `timeout`, `socketTimeout`',
    below: 'the socket',
    all: () => bindNodeRedis(RedisClient),
    async open(port, timeoutMs) {
      const client = await createClient({ socket: { host: '127.0.0.1', port, socketTimeout: timeoutMs } })
        .on('error', () => undefined)
        .connect()
      return {
        target: bindNodeRedis(client),
        call: () => client.get('none'),
        close: () => (client.isOpen ? client.destroy() : undefined),
      }
    },
  },
}

const endOf = (work: Promise<unknown>): Promise<string> => endOfCall(work, 3 * TIMEOUT_MS)

async function rowOf(name: string, { port, above, below, open, all }: Kind): Promise<readonly string[]> {
  const relay = await relayTo(port)
  // The timeout is short for connecting too: on a machine that stalls a client may need more than one try.
  const outage = await vi.waitFor(() => open(relay.port, TIMEOUT_MS))
  relay.isMute = true
  const real = await endOf(outage.call())
  await Promise.race([outage.close(), new Promise((resolve) => setTimeout(resolve, DELAY_MS))])

  const client = await open(port, 100 * TIMEOUT_MS)
  const spansOfCall = async (): Promise<readonly string[]> => {
    exporter.reset()
    await client.call()
    return exporter.getFinishedSpans().map((span) => span.name)
  }
  const before = await spansOfCall()
  const targets = [client.target, ...(all === undefined ? [] : [all()])]
  const switched = await spansWhileSwitched(targets, spansOfCall, before)
  exporter.reset()
  await withFault(delayCalls({ delayMs: DELAY_MS }), client.target, () => client.call())
  const carriesDelay = exporter
    .getFinishedSpans()
    .some(({ duration: [seconds, nanoseconds] }) => seconds * 1e3 + nanoseconds / 1e6 >= DELAY_MS - 5)
  exporter.reset()
  await withFault(refuseCalls({ message: 'refused' }), client.target, () => client.call().catch(() => undefined))
  const carriesError = exporter.getFinishedSpans().some(({ status }) => status.code === SpanStatusCode.ERROR)
  // A pool may open a connection in the place of one whose query failed.
  await client.call()
  expect(await spansOfCall(), `spans of ${name} after the faults`).toEqual(before)
  await client.close()
  const hung = await vi.waitFor(() => open(port, TIMEOUT_MS))
  const injected = await withFault(hangCalls(), hung.target, () => endOf(hung.call()))
  await hung.close()
  const yes = (is: boolean): string => (is ? 'yes' : 'no')
  return [name, above, below, real, injected, yes(carriesDelay), yes(carriesError), switched]
}

/** Says whether each call has its spans, and is affected, if the instrumentations are switched off and on. */
async function spansWhileSwitched(
  targets: readonly object[],
  spansOfCall: () => Promise<readonly string[]>,
  spans: readonly string[],
): Promise<string> {
  const expected: (readonly string[])[] = []
  const measured: (readonly string[])[] = []
  const callWith = async (isOn: boolean): Promise<void> => {
    for (const one of instrumentations) one[isOn ? 'enable' : 'disable']()
    expected.push(isOn ? spans : [])
    measured.push(await spansOfCall())
  }
  for (const target of targets) {
    await callWith(false)
    const affected = await withFault(delayCalls({ delayMs: 1 }), target, async (injection) => {
      for (const isOn of [false, true, false, true]) await callWith(isOn)
      return injection.affected
    })
    for (const isOn of [true, false, true]) await callWith(isOn)
    if (affected < 4) return 'calls pass the fault'
  }
  return JSON.stringify(measured) === JSON.stringify(expected)
    ? 'the spans of health'
    : `other spans: ${JSON.stringify(measured)}`
}

it('compares each client before a mute server and under a fault', async () => {
  const rows: (readonly string[])[] = []
  for (const [name, kind] of Object.entries(kinds)) rows.push(await rowOf(name, kind))
  expectTable('docs/seams.md', 'drivers', [
    [
      'client',
      'above the seam',
      'below',
      'mute server',
      '`hangCalls`',
      'span has the delay',
      'span has the error',
      'OpenTelemetry switched during the fault',
    ],
    ...rows,
  ])
})

it('shows a delayed checkout, and a delayed connect, in the spans of pg', async () => {
  const longest = async (target: object, call: () => Promise<unknown>): Promise<string | undefined> => {
    exporter.reset()
    await withFault(delayCalls({ methods: 'connect', delayMs: DELAY_MS }), target, call)
    const isLong = ({ duration: [seconds, nanoseconds] }: ReadableSpan): boolean =>
      seconds * 1e3 + nanoseconds / 1e6 >= DELAY_MS - 5
    return exporter.getFinishedSpans().find(isLong)?.name
  }
  const pool = new pg.Pool({ ...postgres, max: 1 })
  await pool.query('select 1')
  expect(await longest(bindPg(pool), () => pool.query('select 1'))).toBe('pg-pool.connect')
  await pool.end()
  const client = new pg.Client(postgres)
  expect(await longest(bindPg(pg.Client), () => client.connect())).toBe('pg.connect')
  await client.end()
})
