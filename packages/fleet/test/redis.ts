import { ownRedis, type OwnServer } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { redisAgentTransport } from '../src/transports/redis/agent.js'
import { redisControllerTransport } from '../src/transports/redis/controller.js'
import type { RedisTransportOptions } from '../src/transports/redis/options.js'
import type { AgentTransport, ControllerTransport } from '../src/transports/transport.js'

/** A server for one test. */
export async function serverForTest(...options: readonly string[]): Promise<OwnServer> {
  const server = await ownRedis(...options)
  onTestFinished(() => server.stop())
  return server
}

/** The two sides of a fleet on a server, for one test, and a client that sees what is really in Redis. */
export function fleetOn(
  port: number,
  options: Partial<RedisTransportOptions> = {},
): { readonly agent: AgentTransport; readonly controller: ControllerTransport; readonly witness: Redis } {
  // A limit for what hangs, and not for a machine that stalls.
  const all = { fleet: 'test', port, timeoutMs: 20_000, ...options }
  const [agent, controller] = [redisAgentTransport(all), redisControllerTransport(all)]
  const witness = new Redis(port, '127.0.0.1', { lazyConnect: true }).on('error', () => undefined)
  onTestFinished(async () => {
    await Promise.all([agent.close(), controller.disconnect()])
    witness.disconnect()
  })
  return { agent, controller, witness }
}
