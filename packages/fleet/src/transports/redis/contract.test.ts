import { hasPrograms } from '@chaos/test-servers'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { timedRedis, type TimedRedis } from '../../../test/timed-redis.js'
import { transportContract, type TransportScene } from '../../testing/transport-contract.js'
import type { AgentTransport } from '../transport.js'
import { redisAgentTransport } from './agent.js'
import { redisControllerTransport } from './controller.js'

/** The network of one agent. */
interface Network {
  readonly port: number
  /** Drops every connection. New ones are accepted and carry nothing. */
  cut(): void
  heal(): void
  close(): void
}

async function networkTo(port: number): Promise<Network> {
  const sockets = new Set<Socket>()
  let isCut = false
  const drop = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const server = createServer((near) => {
    sockets.add(near.on('error', () => undefined))
    if (isCut) return
    const far = connect(port, '127.0.0.1')
    sockets.add(far.on('error', () => undefined))
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      drop()
    },
    heal() {
      isCut = false
      // What was accepted meanwhile carries nothing for good.
      drop()
    },
    close() {
      server.close()
      drop()
    },
  }
}

describe.runIf(hasPrograms('redis-server'))(
  'the engine in Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let engine: TimedRedis
    beforeAll(async () => {
      engine = await timedRedis()
    })
    afterAll(() => engine.stop())

    async function scene(): Promise<TransportScene> {
      await engine.wipe()
      const networks = new Map<AgentTransport, Network>()
      const closing: (() => Promise<unknown>)[] = []
      const { advance, suspend, wipe } = engine
      const options = { fleet: 'test' }
      return {
        async agent() {
          const network = await networkTo(engine.port)
          const agent = redisAgentTransport({ ...options, port: network.port })
          networks.set(agent, network)
          closing.push(() => agent.close())
          return agent
        },
        controller() {
          const controller = redisControllerTransport({ ...options, port: engine.port })
          closing.push(() => controller.disconnect())
          return controller
        },
        advance,
        suspend,
        wipe,
        isolate(agent) {
          const network = networks.get(agent)
          network?.cut()
          return Promise.resolve(async () => {
            network?.heal()
            const record = {
              id: 'heals',
              service: 'none',
              environment: 'test',
              labels: {},
              targets: {},
              sdk: '0',
              state: 'idle',
            } as const
            for (let isBack = false; !isBack;)
              isBack = await agent.read(record).then(
                () => true,
                () => false,
              )
          })
        },
        async close() {
          for (const close of closing) await close().catch(() => undefined)
          for (const network of networks.values()) network.close()
        },
      }
    }

    for (const { title, run } of transportContract({ open: scene, leaseMs: 60_000 })) it(title, run)
  },
)
