import { delayCalls, hangCalls, refuseCalls } from '@chaos/adapter'
import { bindIoredis } from '@chaos/adapter/ioredis'
import { bindMysql2 } from '@chaos/adapter/mysql2'
import { bindNodeRedis } from '@chaos/adapter/node-redis'
import { bindPg } from '@chaos/adapter/pg'
import { withFault } from '@chaos/core'
import { SpanStatusCode } from '@opentelemetry/api'
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type * as Ioredis from 'ioredis'
import type { knex as Knex } from 'knex'
import type * as Mysql from 'mysql2/promise'
import { createRequire } from 'node:module'
import type * as Pg from 'pg'
import type * as NodeRedis from 'redis'
import { afterAll, expect, it } from 'vitest'
import { expectTable } from '../../src/page-table.js'
import { relayTo } from '../../src/mute-relay.js'

/** The timeouts of the clients, and a delay that shows in a span, in ms. */
const [TIMEOUT_MS, DELAY_MS] = [300, 100]

const exporter = new InMemorySpanExporter()
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const switchOff = registerInstrumentations({
  instrumentations: getNodeAutoInstrumentations({
    '@opentelemetry/instrumentation-dns': { enabled: false },
    '@opentelemetry/instrumentation-fs': { enabled: false },
    '@opentelemetry/instrumentation-net': { enabled: false },
    '@opentelemetry/instrumentation-ioredis': { requireParentSpan: false },
  }),
  tracerProvider,
})
afterAll(switchOff)

// Instrumentations see what is loaded by `require` after them.
const load = createRequire(import.meta.url)
const pg = load('pg') as typeof Pg
const mysql = load('mysql2/promise') as typeof Mysql
const { Redis } = load('ioredis') as typeof Ioredis
const { createClient } = load('redis') as typeof NodeRedis
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
  readonly open: (port: number) => Promise<Connected>
}

const postgres = { host: '127.0.0.1', user: 'postgres', database: 'test' }
const kinds: Readonly<Record<string, Kind>> = {
  pg: {
    port: 5432,
    above: '`pool.query`, spans, the queue of the client, `query_timeout`',
    below: 'the socket',
    async open(port) {
      const client = new pg.Client({ ...postgres, port, query_timeout: TIMEOUT_MS }).on('error', () => undefined)
      await client.connect()
      return { target: bindPg(client), call: () => client.query('select 1'), close: () => client.end() }
    },
  },
  'knex over pg': {
    port: 5432,
    above: 'knex (pool, transactions), spans, the queue of the client, `query_timeout`',
    below: 'the socket',
    async open(port) {
      const db = knex({
        client: 'pg',
        connection: { ...postgres, port, query_timeout: TIMEOUT_MS },
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
    above: 'spans, the promise API',
    below: 'the queue of the connection',
    async open(port) {
      const client = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root', database: 'test' })
      client.on('error', () => undefined)
      return {
        target: bindMysql2(client),
        call: () => client.query({ sql: 'select 1', timeout: TIMEOUT_MS }),
        close: () => client.destroy(),
      }
    },
  },
  ioredis: {
    port: 6379,
    above: 'pipelines, spans, `commandTimeout`, `maxRetriesPerRequest`, the offline queue',
    below: 'the socket',
    async open(port) {
      const client = new Redis({ port, commandTimeout: TIMEOUT_MS, lazyConnect: true }).on('error', () => undefined)
      await client.connect()
      return { target: bindIoredis(client), call: () => client.get('none'), close: () => client.disconnect() }
    },
  },
  'node-redis': {
    port: 6379,
    above: 'pipelines, the methods of the client',
    below: 'spans that were on first, the queue of commands, the socket',
    async open(port) {
      const client = await createClient({ socket: { host: '127.0.0.1', port } })
        .on('error', () => undefined)
        .connect()
      return { target: bindNodeRedis(client), call: () => client.get('none'), close: () => client.destroy() }
    },
  },
}

/** Says how a call ended: its class, code and message. */
const endOf = (work: Promise<unknown>): Promise<string> =>
  Promise.race([
    work.then(
      () => 'an answer',
      (error: unknown) =>
        `\`${[(error as Error).constructor.name, Reflect.get(error as Error, 'code')].filter(Boolean).join(' ')}\`: ${(error as Error).message}`,
    ),
    new Promise<string>((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS, 'no end').unref()),
  ])

async function rowOf(name: string, { port, above, below, open }: Kind): Promise<readonly string[]> {
  const relay = await relayTo(port)
  const outage = await open(relay.port)
  relay.isMute = true
  const real = await endOf(outage.call())
  await Promise.race([outage.close(), new Promise((resolve) => setTimeout(resolve, DELAY_MS))])

  const client = await open(port)
  const spansOfCall = async (): Promise<readonly string[]> => {
    exporter.reset()
    await client.call()
    return exporter.getFinishedSpans().map((span) => span.name)
  }
  const before = await spansOfCall()
  exporter.reset()
  await withFault(delayCalls({ delayMs: DELAY_MS }), client.target, () => client.call())
  const carriesDelay = exporter
    .getFinishedSpans()
    .some(({ duration: [seconds, nanoseconds] }) => seconds * 1e3 + nanoseconds / 1e6 >= DELAY_MS - 5)
  exporter.reset()
  await withFault(refuseCalls({ message: 'refused' }), client.target, () => client.call().catch(() => undefined))
  const carriesError = exporter.getFinishedSpans().some(({ status }) => status.code === SpanStatusCode.ERROR)
  expect(await spansOfCall(), `spans of ${name} after the faults`).toEqual(before)
  const injected = await withFault(hangCalls(), client.target, () => endOf(client.call()))
  await client.close()
  const yes = (is: boolean): string => (is ? 'yes' : 'no')
  return [name, above, below, real, injected, yes(carriesDelay), yes(carriesError)]
}

it('compares each client before a mute server and under a fault', async () => {
  const rows: (readonly string[])[] = []
  for (const [name, kind] of Object.entries(kinds)) rows.push(await rowOf(name, kind))
  expectTable('docs/seams.md', 'drivers', [
    ['client', 'above the seam', 'below', 'mute server', '`hangCalls`', 'span has the delay', 'span has the error'],
    ...rows,
  ])
})
