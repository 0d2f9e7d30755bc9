import { manualClock } from '@chaos/core/testing'
import { hasPrograms } from '@chaos/test-servers'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { anInstance } from '../../../test/plans.js'
import { timedRedis, type TimedRedis } from '../../../test/timed-redis.js'
import { transportContract, type TransportScene } from '../../testing/transport-contract.js'
import { memoryEngine } from '../memory.js'
import { redisAgentTransport } from '../redis/agent.js'
import { redisControllerTransport } from '../redis/controller.js'
import type { AgentTransport, ControllerTransport } from '../transport.js'
import { relayAgentTransport } from './agent.js'
import { relayControllerTransport } from './controller.js'
import { startRelay, type Relay } from './start-relay.js'

/** The longest time of a message on its way, in ms. */
const LONGEST_REAL_MS = 100

/** What stands behind the relays of a scene. */
interface Engine extends Pick<TransportScene, 'advance' | 'suspend' | 'wipe'> {
  agent(): AgentTransport
  controller(): ControllerTransport
}

/** A relay for each agent, and one for each controller. */
function relays(folder: string, engine: Engine): TransportScene {
  const open: { relay: Relay; readonly close: () => Promise<void> }[] = []
  const ofAgents = new Map<AgentTransport, () => Promise<() => Promise<void>>>()
  const pathOf = (): string => join(folder, `${open.length}.sock`)
  return {
    async agent() {
      const upstream = engine.agent()
      const relay = await startRelay(upstream, { path: pathOf() })
      const agent = relayAgentTransport({ path: relay.path })
      const own = { relay, close: () => Promise.all([agent.close(), upstream.close()]).then(() => undefined) }
      open.push(own)
      // Its relay dies, and another takes its place.
      ofAgents.set(agent, async () => {
        await own.relay.stop()
        return async () => {
          own.relay = await startRelay(upstream, { path: own.relay.path })
          await agent.read(anInstance())
        }
      })
      return agent
    },
    async controller() {
      const [upstream, control] = [engine.agent(), engine.controller()]
      const relay = await startRelay(upstream, { path: pathOf(), control })
      const controller = relayControllerTransport({ path: relay.path })
      const close = () =>
        Promise.all([controller.disconnect(), upstream.close(), control.disconnect()]).then(() => undefined)
      open.push({ relay, close })
      return controller
    },
    advance: (ms) => engine.advance(ms),
    isolate: (agent) => ofAgents.get(agent)?.() ?? Promise.reject(new Error('Expected an agent of this scene.')),
    suspend: () => engine.suspend(),
    wipe: () => engine.wipe(),
    async close() {
      for (const { relay, close } of open) {
        await close()
        await relay.stop()
      }
    },
  }
}

function withFolder(): () => string {
  let folder = ''
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'chaos-relay-'))))
  afterAll(() => rmSync(folder, { recursive: true }))
  return () => folder
}

describe('the engine in memory behind relays', () => {
  const folder = withFolder()
  function scene(): TransportScene {
    const clock = manualClock(1_000_000)
    const engine = memoryEngine({ clock })
    return relays(folder(), {
      agent: () => engine.agent(),
      controller: () => engine.controller(),
      async advance(ms) {
        await clock.advance(ms)
        // What is on its way through a socket takes real time, and less than this.
        await new Promise((resolve) => setTimeout(resolve, Math.min(ms, LONGEST_REAL_MS)))
      },
      suspend() {
        engine.pause()
        return Promise.resolve(() => {
          engine.resume()
          return Promise.resolve()
        })
      },
      wipe() {
        engine.wipe()
        return Promise.resolve()
      },
    })
  }
  for (const { title, run } of transportContract({ open: scene, leaseMs: 60_000 })) it(title, run)
})

describe.runIf(hasPrograms('redis-server'))(
  'the engine in Redis behind relays (skipped without `redis-server`: Debian package redis-server)',
  () => {
    const folder = withFolder()
    let engine: TimedRedis
    beforeAll(async () => void (engine = await timedRedis()))
    afterAll(() => engine.stop())

    async function scene(): Promise<TransportScene> {
      await engine.wipe()
      const { port, advance, suspend, wipe } = engine
      const options = { fleet: 'test', port }
      return relays(folder(), {
        agent: () => redisAgentTransport(options),
        controller: () => redisControllerTransport(options),
        advance,
        suspend,
        wipe,
      })
    }

    for (const { title, run } of transportContract({ open: scene, leaseMs: 60_000 })) it(title, run)
  },
)
