import { bindIoredis } from '@chaos/adapter/ioredis'
import { hangCalls } from '@chaos/adapter'
import { failLookups } from '@chaos/adapter/dns'
import { cutConnections, hangConnections, refuseConnections, slowResponses } from '@chaos/adapter/net'
import { inject } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { Redis } from 'ioredis'
import dns from 'node:dns'
import net from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { anInstance } from '../../../test/plans.js'
import { fleetOn, serverForTest } from '../../../test/redis.js'

const outages = {
  'the class of clients hangs': () => inject(hangCalls(), bindIoredis(Redis)),
  'connections are refused': () => inject(refuseConnections(), net),
  'connections hang': () => inject(hangConnections(), net),
  'connections are cut': () => inject(cutConnections(), net),
  'answers are late': () => inject(slowResponses({ delayMs: 60_000 }), net),
  'no host is found': () => inject(failLookups(), dns),
}

describe.runIf(hasPrograms('redis-server'))(
  'the control connection (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it.each(Object.entries(outages))('works, old or new, while %s', async (_what, start) => {
      const server = await serverForTest()
      // A name, which is looked up.
      const options = { host: 'localhost' }
      const [old, late] = [fleetOn(server.port, options), fleetOn(server.port, options)]
      const woken = vi.fn()
      old.agent.onWake(woken)
      await old.agent.read(anInstance())
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
      const app = new Redis(server.port).on('error', () => undefined)
      onTestFinished(() => app.disconnect())
      await app.ping()

      const injection = await start()
      onTestFinished(async () => {
        await injection.rollback()
      })
      for (const { agent, controller } of [old, late]) {
        await agent.read(anInstance())
        await controller.permit(60_000, 'ann', 'a test')
        await controller.halt('stop', 'bob')
      }
      await vi.waitFor(() => expect(woken.mock.calls.length).toBeGreaterThan(4))
      expect(await old.controller.list()).toHaveLength(3)
    })
  },
)
