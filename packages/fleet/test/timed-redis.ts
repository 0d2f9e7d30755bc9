import { ownRedis } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import type { TransportScene } from '../src/testing/transport-contract.js'
import { gateTo } from './gate.js'

/** A Redis server whose time tests move, so that a machine that stalls ends no lease. */
export interface TimedRedis extends Pick<TransportScene, 'advance' | 'suspend' | 'wipe'> {
  /** Where the two sides of a fleet connect. */
  readonly port: number
  stop(): Promise<void>
}

/** What happens in real time beside leases, such as a message that is under way, has no more of it than this, in ms. */
const LONGEST_REAL_MS = 100

const SOONER = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end`

/** Starts one. */
export async function timedRedis(): Promise<TimedRedis> {
  const server = await ownRedis()
  const gate = await gateTo(server.port)
  const witness = new Redis(server.port, '127.0.0.1')
  return {
    port: gate.port,
    // The engine keeps all of its times as the expiry of keys: each comes this much sooner.
    async advance(ms) {
      await witness.eval(SOONER, 0, ms)
      await new Promise((resolve) => setTimeout(resolve, Math.min(ms, LONGEST_REAL_MS)))
    },
    suspend() {
      gate.shut()
      return Promise.resolve(() => gate.open())
    },
    wipe: () => witness.flushall().then(() => undefined),
    async stop() {
      witness.disconnect()
      gate.stop()
      await server.stop()
    },
  }
}
