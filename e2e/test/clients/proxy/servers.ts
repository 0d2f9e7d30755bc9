import { hasPrograms, ownMariaDb, ownMosquitto, ownNats, ownPostgres, ownRedis } from '@chaos/test-servers'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import net from 'node:net'
import { WebSocketServer } from 'ws'
import { PAYLOAD, type ClientName } from './clients.js'

/** A server that a client talks to. */
export interface Server {
  readonly port: number
  readonly stop: () => unknown
}

/** How the server of a client is started. */
export interface Start {
  /** What it needs, for the title of a test that is skipped without it. */
  readonly needs: string
  readonly isThere: boolean
  readonly start: () => Promise<Server>
}

const RABBITMQ_PORT = 5672

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const program = (name: string, start: () => Promise<Server>): Start => ({
  needs: name,
  isThere: hasPrograms(name),
  start,
})

const redis = program('redis-server', ownRedis)

/** The server of each client. Each is the test's own, on a free port, except RabbitMQ, which takes too long to start. */
export const servers: Readonly<Record<ClientName, Start>> = {
  ioredis: redis,
  'node-redis': redis,
  pg: program('postgres', ownPostgres),
  mysql2: program('mariadbd', ownMariaDb),
  amqplib: {
    needs: `RabbitMQ at 127.0.0.1:${RABBITMQ_PORT}`,
    isThere: process.env['CHAOS_REQUIRE_SERVICES'] === 'all' || (await isListening(RABBITMQ_PORT)),
    start: () => Promise.resolve({ port: RABBITMQ_PORT, stop: () => undefined }),
  },
  NATS: program('nats-server', ownNats),
  mqtt: program('mosquitto', ownMosquitto),
  undici: { needs: 'nothing', isThere: true, start: webServer },
  ws: { needs: 'nothing', isThere: true, start: webServer },
}

/** Answers requests with {@link PAYLOAD}, and WebSocket messages with themselves. */
async function webServer(): Promise<Server> {
  const server = createServer((_, response) => response.end(PAYLOAD))
  new WebSocketServer({ server }).on('connection', (socket) =>
    socket.on('error', () => undefined).on('message', (data) => socket.send(data)),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
