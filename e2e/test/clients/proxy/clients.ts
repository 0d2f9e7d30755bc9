import { connect as connectNats } from '@nats-io/transport-node'
import amqplib from 'amqplib'
import { Redis } from 'ioredis'
import mqtt from 'mqtt'
import mysql from 'mysql2/promise'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import pg from 'pg'
import { createClient } from 'redis'
import { Pool } from 'undici'
import { WebSocket } from 'ws'

/** What comes back from each server: more bytes than `limitData` lets pass. */
export const PAYLOAD = 'x'.repeat(2_000)

/** A client that is connected, and has had one answer. */
export interface Connected {
  /** Sends a request, and resolves with {@link PAYLOAD} from the server's answer. */
  readonly request: () => Promise<unknown>
  /** What emits the errors of the connection, if anything does. */
  readonly emitter?: { on(event: 'error', listener: (error: Error) => void): unknown }
  readonly close: () => unknown
}

/** Connects a client to a port of 127.0.0.1. @param timeoutMs The time after which it gives up a request, if it has such an option */
type Connect = (port: number, timeoutMs: number) => Promise<Connected>

/** How each client is connected. It connects again at once, if it does so by itself. */
export const connectors = {
  ioredis: async (port, timeoutMs) => {
    const client = new Redis(port, '127.0.0.1', { commandTimeout: timeoutMs, retryStrategy: () => 10 })
    client.on('error', ignore)
    await client.set('chaos', PAYLOAD)
    return { request: () => client.get('chaos'), emitter: client, close: () => client.disconnect() }
  },
  'node-redis': async (port, timeoutMs) => {
    const client = createClient({
      socket: { port, host: '127.0.0.1', socketTimeout: timeoutMs, reconnectStrategy: () => 10 },
    })
    client.on('error', ignore)
    await client.connect()
    await client.set('chaos', PAYLOAD)
    return { request: () => client.get('chaos'), emitter: client, close: () => client.destroy() }
  },
  pg: async (port, timeoutMs) => {
    const options = {
      host: '127.0.0.1',
      port,
      user: 'root',
      database: 'postgres',
      ssl: false,
      query_timeout: timeoutMs,
    }
    const pool = new pg.Pool({ ...options, max: 1 }).on('error', ignore)
    const request = async (): Promise<unknown> =>
      (await pool.query<{ value: string }>('select $1::text as value', [PAYLOAD])).rows[0]?.value
    await request()
    return { request, close: () => pool.end() }
  },
  mysql2: async (port, timeoutMs) => {
    const pool = mysql.createPool({ host: '127.0.0.1', port, user: 'root', connectionLimit: 1 })
    const request = async (): Promise<unknown> => {
      const [rows] = await pool.query<mysql.RowDataPacket[]>({ sql: 'select ? as value', timeout: timeoutMs }, [
        PAYLOAD,
      ])
      return rows[0]?.['value']
    }
    await request()
    return { request, close: () => pool.end() }
  },
  amqplib: async (port) => {
    const connection = await amqplib.connect(`amqp://127.0.0.1:${port}?heartbeat=1`)
    connection.on('error', ignore)
    const channel = await connection.createChannel()
    channel.on('error', ignore)
    const { queue } = await channel.assertQueue('', { exclusive: true })
    const request = async (): Promise<unknown> => {
      channel.sendToQueue(queue, Buffer.from(PAYLOAD))
      const message = await channel.get(queue, { noAck: true })
      return message === false ? 'nothing' : String(message.content)
    }
    await request()
    return { request, emitter: connection, close: () => connection.close().catch(ignore) }
  },
  NATS: async (port, timeoutMs) => {
    const client = await connectNats({ port, reconnectTimeWait: 10, maxReconnectAttempts: -1 })
    const subject = `chaos.${randomUUID()}`
    const echo = client.subscribe(subject, { callback: (_, message) => void message.respond(message.data) })
    await client.flush()
    const request = async (): Promise<unknown> =>
      (await client.request(subject, PAYLOAD, { timeout: timeoutMs, noMux: true })).string()
    await request()
    return { request, close: () => (echo.unsubscribe(), client.close()) }
  },
  mqtt: async (port) => {
    const clientId = `chaos-${randomUUID()}`
    // The server keeps the session, and sends again what was not acknowledged.
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      clientId,
      clean: false,
      keepalive: 1,
      reconnectPeriod: 10,
    })
    client.on('error', ignore)
    const topic = `chaos/${clientId}`
    await client.subscribeAsync(topic, { qos: 1 })
    const request = async (): Promise<unknown> => {
      const message = new Promise<string>((resolve) => client.once('message', (_, content) => resolve(String(content))))
      await client.publishAsync(topic, PAYLOAD, { qos: 1 })
      return message
    }
    await request()
    return { request, emitter: client, close: () => client.endAsync(true) }
  },
  undici: async (port, timeoutMs) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, {
      connections: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
    const request = async (): Promise<unknown> => (await pool.request({ path: '/', method: 'GET' })).body.text()
    await request()
    return { request, close: () => pool.destroy() }
  },
  ws: async (port) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    socket.on('error', ignore)
    await once(socket, 'open')
    const request = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        socket.once('message', (data) => resolve((data as Buffer).toString()))
        socket.once('error', reject)
        socket.once('close', (code: number) => reject(new Error(`closed with code ${code}`)))
        socket.send(PAYLOAD, (error) => error && reject(error))
      })
    await request()
    return { request, emitter: socket, close: () => socket.terminate() }
  },
} satisfies Readonly<Record<string, Connect>>

/** The name of a client under test. */
export type ClientName = keyof typeof connectors

function ignore(): undefined {
  return undefined
}
