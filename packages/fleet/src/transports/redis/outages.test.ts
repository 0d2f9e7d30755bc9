import { systemClock } from '@chaos/core/authoring'
import { freePort, hasPrograms, ownRedis, redisAgain, type OwnServer } from '@chaos/test-servers'
import dns from 'node:dns'
import { once } from 'node:events'
import { inspect } from 'node:util'
import type { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { aPlan, anInstance, signedOf } from '../../../test/plans.js'
import { laggingRelay } from '../../../test/lagging-relay.js'
import { fleetOn, serverForTest } from '../../../test/redis.js'
import type { AgentTransport, ControllerTransport } from '../transport.js'

const HOUR = 3_600_000
const unreachable = { name: 'ChaosError', code: 'CHAOS_FLEET_UNREACHABLE' }
const forbidden = { name: 'ChaosError', code: 'CHAOS_FLEET_FORBIDDEN' }

/** What `process` tells since Node.js 17.3, and its types do not. */
interface WithResources {
  getActiveResourcesInfo(): readonly string[]
}

/** Each call of both sides. */
const calls = (
  agent: AgentTransport,
  controller: ControllerTransport,
): Readonly<Record<string, () => Promise<unknown>>> => {
  const plan = aPlan({ instances: ['one'] })
  const run = { runId: plan.runId, owner: 'owner' }
  return {
    read: () => agent.read(anInstance()),
    ack: () => agent.ack('run', 'one', { status: 'ready' }),
    list: () => controller.list(),
    open: () => controller.open(signedOf(plan), plan, 'owner'),
    renew: () => controller.renew(run, 5_000, 'active'),
    close: () => controller.close(run, plan),
    acks: () => controller.acks('run'),
    halt: () => controller.halt('stop', 'bob'),
    permit: () => controller.permit(HOUR, 'ann', 'a test'),
    status: () => controller.status(),
    audit: () => controller.audit(10),
    note: () => controller.note('what', 'ann', {}),
  }
}

/** Kills a server at once, and keeps its folder. */
async function kill(server: OwnServer): Promise<void> {
  const ended = once(server.process, 'exit')
  server.process.kill('SIGKILL')
  await ended
}

describe.runIf(hasPrograms('redis-server'))(
  'a fleet whose Redis fails (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('is told so by each call while nothing listens, and is there once something does', async () => {
      const port = await freePort()
      const { agent, controller } = fleetOn(port)
      const woken = vi.fn()
      agent.onWake(woken)
      for (const call of Object.values(calls(agent, controller)))
        await expect(call()).rejects.toMatchObject(unreachable)
      const started = await serverForTest('--port', String(port))
      for (const call of Object.values(calls(agent, controller))) await call()
      await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      expect(started.port).not.toBe(port)
    })

    it('waits for a server that hangs no longer than asked, and sends nothing late', async () => {
      const server = await serverForTest()
      const { agent, controller, witness } = fleetOn(server.port, { timeoutMs: 150 })
      // A machine that stalls may need more than one.
      await vi.waitFor(() => agent.read(anInstance()))
      await vi.waitFor(() => controller.list())
      server.process.kill('SIGSTOP')
      for (const [name, call] of Object.entries(calls(agent, controller)))
        await expect(call(), name).rejects.toMatchObject({
          ...unreachable,
          message: expect.stringContaining('150 ms') as string,
        })
      server.process.kill('SIGCONT')
      await vi.waitFor(() => agent.read(anInstance()))
      // Only what the first calls had sent before their connections were given up.
      expect(await witness.exists('{chaos:test}:permit', '{chaos:test}:halt', '{chaos:test}:audit')).toBe(0)
    })

    it.each([
      ['all data is lost', (_server: OwnServer, witness: Redis) => witness.flushall()],
      [
        'the server is killed and starts again without its data',
        async (server: OwnServer) => {
          await kill(server)
          const again = await redisAgain(server)
          onTestFinished(() => again.stop())
        },
      ],
    ])('permits nothing once %s', async (_what, lose) => {
      const server = await ownRedis()
      onTestFinished(() => server.stop())
      const { agent, controller, witness } = fleetOn(server.port)
      const instance = anInstance()
      const plan = aPlan({ instances: [instance.id] })
      const { epoch } = await controller.permit(HOUR, 'ann', 'a test')
      await controller.open(signedOf(plan), plan, 'owner')
      await controller.renew({ runId: plan.runId, owner: 'owner' }, 5_000, 'active')
      const woken = vi.fn()
      agent.onWake(woken)
      expect((await agent.read(instance)).run?.phase).toBe('active')
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))

      await lose(server, witness)
      // A connection that was lost is made again by the call that finds it so, or by the next.
      await vi.waitFor(async () =>
        expect(await agent.read(instance)).toEqual({ isPermitted: false, epoch: 0, run: undefined }),
      )
      await vi.waitFor(async () =>
        expect(await controller.renew({ runId: plan.runId, owner: 'owner' }, 5_000, 'active')).toBe('lost'),
      )
      expect(await controller.open(signedOf(plan), plan, 'owner')).toEqual({ isOpen: false, why: 'not-permitted' })
      // Above what agents have seen before.
      expect((await controller.permit(HOUR, 'ann', 'again')).epoch).toBeGreaterThan(epoch)
      const before = woken.mock.calls.length
      await vi.waitFor(async () => {
        await agent.read(instance)
        await controller.halt('stop', 'bob')
        expect(woken.mock.calls.length).toBeGreaterThan(before)
      })
    })

    it('subscribes again with the next read, and wakes for what may have been missed', async () => {
      const server = await serverForTest()
      const { agent, witness } = fleetOn(server.port)
      const woken = vi.fn()
      agent.onWake(woken)
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
      await witness.client('KILL', 'TYPE', 'pubsub')
      await vi.waitFor(async () => {
        await agent.read(anInstance())
        expect(woken).toHaveBeenCalledTimes(2)
      })
    })

    it('listens again after a flood, though the server was slow to let it leave', async () => {
      const server = await serverForTest()
      const { agent, witness } = fleetOn(server.port)
      const woken = vi.fn()
      agent.onWake(woken)
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
      const flood = "for i = 1, 1001 do redis.call('publish', '{chaos:test}:wake', '') end"
      await witness.pipeline().eval(flood, 0).client('PAUSE', 500).exec()
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1_001))
      const now = systemClock.now.bind(systemClock)
      const later = vi.spyOn(systemClock, 'now').mockImplementation(() => now() + 5_000)
      onTestFinished(() => later.mockRestore())
      // The connection that has not left yet does not serve.
      await agent.read(anInstance())
      await vi.waitFor(async () => {
        await agent.read(anInstance())
        await witness.publish('{chaos:test}:wake', '')
        expect(woken.mock.calls.length).toBeGreaterThan(1_001)
      })
    })

    it('is refused with a wrong password, or none, and shows none', async () => {
      const server = await serverForTest('--requirepass', 'the-right-password')
      for (const options of [
        { password: 'a-wrong-password' },
        {},
        { username: 'nobody', password: 'a-wrong-password' },
        { url: `redis://:a-wrong-password@127.0.0.1:${server.port}` },
      ]) {
        const { agent, controller } = fleetOn(server.port, options)
        for (const call of Object.values(calls(agent, controller))) {
          const error: unknown = await call().catch((reason: unknown) => reason)
          expect(error).toMatchObject(forbidden)
          expect(inspect(error, { depth: 10 })).not.toContain('a-wrong-password')
        }
      }
      const { agent, controller } = fleetOn(server.port, { password: 'the-right-password' })
      for (const call of Object.values(calls(agent, controller))) await call()
    })

    it('is refused by rules for its user', async () => {
      const server = await serverForTest()
      const { witness } = fleetOn(server.port)
      await witness.call('ACL', 'SETUSER', 'guest', 'on', '>guests-password', '~other:*', '&other', '+@all')
      const { agent, controller } = fleetOn(server.port, { username: 'guest', password: 'guests-password' })
      agent.onWake(() => undefined)
      for (const [name, call] of Object.entries(calls(agent, controller)))
        await expect(call(), name).rejects.toMatchObject(forbidden)
    })

    it('refuses a replica, and uses it once it is the primary', async () => {
      const primary = await serverForTest()
      const replica = await serverForTest('--replicaof', '127.0.0.1', String(primary.port))
      const { agent, witness } = fleetOn(replica.port)
      await expect(agent.read(anInstance())).rejects.toMatchObject({
        ...unreachable,
        message: expect.stringContaining('READONLY') as string,
      })
      await witness.replicaof('NO', 'ONE')
      expect(await agent.read(anInstance())).toMatchObject({ isPermitted: false })
    })

    it('tells how many replicas know of a halt, which a lagging one forgets as the next primary', async () => {
      const primary = await serverForTest('--repl-diskless-sync-delay', '0')
      const link = await laggingRelay(primary.port)
      const replica = await serverForTest('--replicaof', '127.0.0.1', String(link.port))
      // Waits for replicas half as long as a call may take.
      const [before, hasty, after] = [
        fleetOn(primary.port),
        fleetOn(primary.port, { timeoutMs: 2_000 }),
        fleetOn(replica.port),
      ]
      await vi.waitFor(async () => expect(await before.witness.info('replication')).toContain('state=online'))
      const instance = anInstance()
      const plan = aPlan({ instances: [instance.id], leaseMs: 60_000 })
      await before.controller.permit(HOUR, 'ann', 'a test')
      expect(await before.controller.halt('a drill', 'bob')).toMatchObject({ replicas: 1 })
      await before.controller.permit(HOUR, 'ann', 'a test')
      await before.controller.open(signedOf(plan), plan, 'owner')
      await vi.waitFor(async () => expect(await after.witness.exists(`{chaos:test}:run:${plan.runId}`)).toBe(1))

      link.lag()
      // Half of its time is for the replicas: a machine that stalls may need more than one call.
      const halted = await vi.waitFor(() => hasty.controller.halt('stop', 'bob'))
      expect(halted.replicas).toBe(0)
      await kill(primary)
      await after.witness.replicaof('NO', 'ONE')
      const { isPermitted, epoch, run } = await after.agent.read(instance)
      expect([isPermitted, run?.id]).toEqual([true, plan.runId])
      // An agent that has seen the halt takes no run of an earlier epoch, and each later one is above what it has seen.
      expect(epoch).toBeLessThan(halted.epoch)
      await after.controller.halt('again', 'bob')
      expect((await after.controller.permit(HOUR, 'ann', 'again')).epoch).toBeGreaterThan(halted.epoch + 1)
    })

    it('lists what makes sense among records that do not, without taking them all', async () => {
      const server = await serverForTest()
      const { agent, controller, witness } = fleetOn(server.port, { timeoutMs: 30_000 })
      const own = anInstance()
      await agent.read(own)
      const now = Date.now()
      // Each is longer than a record may be: together they would be more than 1 GiB.
      const long = 'x'.repeat(140_000)
      await witness.set('{chaos:test}:inst:long', long)
      const steps = witness.pipeline()
      for (let n = 0; n < 10_000; n += 1) {
        steps.zadd('{chaos:test}:index', now, n % 2 === 0 ? `absent-${n}` : 'long')
        if (n % 100 === 0) steps.set(`{chaos:test}:inst:absent-${n}`, JSON.stringify({ id: `absent-${n}`, sdk: {} }))
        if (n % 100 === 2) steps.rpush(`{chaos:test}:inst:absent-${n}`, 'a list')
        if (n % 100 === 4) steps.set(`{chaos:test}:inst:absent-${n}`, long)
      }
      await steps.exec()
      expect(await controller.list()).toEqual([own])
    })

    it('gives up a list that is longer than that of any fleet', async () => {
      const server = await serverForTest()
      const { controller, witness } = fleetOn(server.port, { timeoutMs: 30_000 })
      const record = JSON.stringify(anInstance({ id: '', labels: { long: 'x'.repeat(130_000) } }))
      const steps = witness.pipeline()
      for (let n = 0; n < 1_100; n += 1)
        steps.zadd('{chaos:test}:index', Date.now(), `i-${n}`).set(`{chaos:test}:inst:i-${n}`, record)
      await steps.exec()
      await expect(controller.list()).rejects.toMatchObject({
        ...unreachable,
        message: expect.stringContaining('longer than') as string,
      })
    })

    it('says so in a process whose record nobody would read', async () => {
      const server = await serverForTest()
      const { agent } = fleetOn(server.port)
      await expect(agent.read(anInstance({ labels: { long: 'x'.repeat(140_000) } }))).rejects.toMatchObject({
        code: 'CHAOS_INVALID_OPTION',
      })
    })

    it('looks a name up once for all who wait, so that a dead name server takes one thread', async () => {
      const lookup = vi.spyOn(dns, 'lookup').mockImplementation(() => undefined)
      const fleets = Array.from({ length: 3 }, () => fleetOn(1, { host: 'slow.invalid', timeoutMs: 100 }))
      for (let round = 0; round < 2; round += 1)
        for (const { agent } of fleets) await expect(agent.read(anInstance())).rejects.toMatchObject(unreachable)
      expect(lookup).toHaveBeenCalledTimes(1)
      const answer = lookup.mock.calls[0]?.at(-1) as unknown as (error: Error) => void
      answer(new Error('ENOTFOUND'))
      await expect(fleets[0]?.agent.read(anInstance())).rejects.toMatchObject(unreachable)
      expect(lookup).toHaveBeenCalledTimes(2)
    })

    it('keeps a process alive for a controller, and never for an agent', async () => {
      const server = await serverForTest()
      const count = (kind: string): number =>
        (process as unknown as WithResources).getActiveResourcesInfo().filter((name) => name === kind).length
      const sockets = (): number => count('TCPSocketWrap')
      const before = sockets()
      const { agent, controller } = fleetOn(server.port)
      const woken = vi.fn()
      agent.onWake(woken)
      await agent.read(anInstance())
      await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      expect(sockets()).toBe(before)
      const timers = count('Timeout')
      const reading = agent.read(anInstance())
      expect(count('Timeout')).toBe(timers)
      await reading
      const without = count('Timeout')
      const listing = controller.list()
      expect(count('Timeout')).toBe(without + 1)
      await listing
      await controller.list()
      expect(sockets()).toBe(before + 1)
      await controller.disconnect()
      await vi.waitFor(() => expect(sockets()).toBe(before))
    })

    it('refuses calls after its end', async () => {
      const server = await serverForTest()
      const { agent, controller } = fleetOn(server.port)
      await agent.read(anInstance())
      await Promise.all([agent.close(), controller.disconnect()])
      for (const [name, call] of Object.entries(calls(agent, controller)))
        await expect(call(), name).rejects.toMatchObject(unreachable)
    })
  },
)
