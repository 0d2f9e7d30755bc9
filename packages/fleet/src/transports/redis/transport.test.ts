import { hasPrograms, type OwnServer, ownRedis } from '@chaos/test-servers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { aPlan, anInstance, signedOf } from '../../../test/plans.js'
import { fleetOn } from '../../../test/redis.js'
import type { Ack } from '../transport.js'
import { redisControllerTransport } from './controller.js'

const HOUR = 3_600_000

describe.runIf(hasPrograms('redis-server'))(
  'a fleet over Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    let server: OwnServer
    beforeAll(async () => {
      server = await ownRedis()
    })
    afterAll(() => server.stop())
    beforeEach(async () => {
      const { witness } = fleetOn(server.port)
      await witness.flushall()
    })

    describe('the read of an agent', () => {
      it('registers the instance, and finds nothing permitted in a fleet that nobody has opened', async () => {
        const { agent, controller, witness } = fleetOn(server.port, { instanceTtlMs: 9_000 })
        const instance = anInstance()
        expect(await agent.read(instance)).toEqual({ isPermitted: false, epoch: 0, run: undefined })
        expect(await controller.list()).toEqual([instance])
        const key = `{chaos:test}:inst:${instance.id}`
        expect(await witness.pttl(key)).toBeGreaterThan(8_000)
        expect(await witness.keys('*')).toEqual(expect.arrayContaining([key, '{chaos:test}:index']))
        const reverting = { ...instance, state: 'reverting' } as const
        await agent.read(reverting)
        expect(await controller.list()).toEqual([reverting])
      })

      it('shows the run with the rest of its lease, and its plan though it is sent once', async () => {
        const { agent, controller, witness } = fleetOn(server.port)
        const instance = anInstance()
        const plan = aPlan({ instances: [instance.id] })
        const { epoch } = await controller.permit(HOUR, 'ann', 'a test')
        expect(await controller.open(signedOf(plan), plan, 'owner')).toEqual({ isOpen: true, epoch })
        const run = { id: plan.runId, phase: 'prepare', epoch, beat: 1, signed: signedOf(plan) }
        const first = await agent.read(instance)
        expect(first).toMatchObject({ isPermitted: true, epoch, run })
        expect(first.run?.remainingMs).toBeGreaterThan(4_000)
        expect(first.run?.remainingMs).toBeLessThanOrEqual(5_000)
        await witness.hset(`{chaos:test}:run:${plan.runId}`, 'plan', 'another one')
        expect(await agent.read(instance)).toMatchObject({ run })
        const other = fleetOn(server.port)
        expect((await other.agent.read(instance)).run?.signed.text).toBe('another one')
      })

      it('shows no run to other instances, none that has expired, and none that makes no sense', async () => {
        const { agent, controller, witness } = fleetOn(server.port)
        const [chosen, other] = [anInstance(), anInstance()]
        const plan = aPlan({ instances: [chosen.id] })
        await controller.permit(HOUR, 'ann', 'a test')
        await controller.open(signedOf(plan), plan, 'owner')
        const runOf = async (instance = chosen): Promise<unknown> => (await agent.read(instance)).run
        expect(await runOf(other)).toBeUndefined()
        expect(await runOf()).toBeDefined()
        for (const [field, value] of [
          ['phase', 'all'],
          ['beat', 'many'],
        ] as const) {
          const before = await witness.hget(`{chaos:test}:run:${plan.runId}`, field)
          await witness.hset(`{chaos:test}:run:${plan.runId}`, field, value)
          expect(await runOf()).toBeUndefined()
          await witness.hset(`{chaos:test}:run:${plan.runId}`, field, before as string)
        }
        await witness.pexpire(`{chaos:test}:run:${plan.runId}`, 1)
        await vi.waitFor(async () => expect(await runOf()).toBeUndefined())
      })

      it('forgets instances that have left, at once where they say so', async () => {
        const { agent, controller, witness } = fleetOn(server.port, { instanceTtlMs: 1_000 })
        await agent.read(anInstance())
        await agent.close()
        expect(await witness.keys('*')).toEqual([])
        const gone = fleetOn(server.port, { instanceTtlMs: 1_000 })
        const instance = anInstance()
        await gone.agent.read(instance)
        await witness.pexpire(`{chaos:test}:inst:${instance.id}`, 1)
        await vi.waitFor(async () => expect(await controller.list()).toEqual([]))
        await witness.zadd('{chaos:test}:index', 1, 'long ago')
        await gone.agent.read(instance)
        expect(await witness.zrange('{chaos:test}:index', 0, -1)).toEqual([instance.id])
      })
    })

    it('lists many instances, and leaves out what makes no sense', async () => {
      const { agent, controller, witness } = fleetOn(server.port)
      const instances = Array.from({ length: 1_201 }, () => anInstance())
      await Promise.all(instances.map((instance) => agent.read(instance)))
      const [first, second, third, fourth] = instances.map(({ id }) => `{chaos:test}:inst:${id}`) as [
        string,
        string,
        string,
        string,
      ]
      await witness.mset(first, 'nonsense', second, '{"id":"another"}', third, JSON.stringify(instances[9]))
      await witness.set(fourth, JSON.stringify({ ...instances[3], instant: 5 }))
      // What nobody knows is left out: JSON that is nested as deep could not be written.
      const [, , , , fifth] = instances
      const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
      await witness.set(`{chaos:test}:inst:${fifth?.id}`, JSON.stringify(fifth).replace('{', `{"deep":${deep},`))
      expect((await controller.list()).find(({ id }) => id === fifth?.id)).toEqual(fifth)
      const ids = (await controller.list()).map(({ id }) => id)
      expect(ids.sort()).toEqual(
        instances
          .slice(4)
          .map(({ id }) => id)
          .sort(),
      )
    })

    describe('opening a run', () => {
      it('needs a permit and no halt', async () => {
        const { controller } = fleetOn(server.port)
        const plan = aPlan({ instances: ['one'] })
        const open = () => controller.open(signedOf(plan), plan, 'owner')
        expect(await open()).toEqual({ isOpen: false, why: 'not-permitted' })
        await controller.permit(HOUR, 'ann', 'a test')
        await controller.halt('stop', 'bob')
        expect(await open()).toEqual({ isOpen: false, why: 'halted' })
        await controller.permit(HOUR, 'ann', 'again')
        expect(await open()).toMatchObject({ isOpen: true })
        await controller.permit(0, 'ann', 'enough')
        const other = aPlan({ instances: ['two'] })
        expect(await controller.open(signedOf(other), other, 'owner')).toEqual({ isOpen: false, why: 'not-permitted' })
      })

      it('is refused where an instance or a service is busy, and leaves nothing then', async () => {
        const { controller, witness } = fleetOn(server.port)
        await controller.permit(HOUR, 'ann', 'a test')
        const plan = aPlan({ instances: ['one', 'two'], candidates: { journal: 3 } })
        await controller.open(signedOf(plan), plan, 'owner')
        const before = (await witness.keys('*')).sort()
        for (const [other, busy] of [
          [aPlan({ instances: ['two', 'three'] }), ['two']],
          [aPlan({ instances: ['three'], candidates: { journal: 3, mail: 1 } }), ['journal']],
          [plan, ['one', 'two', 'journal']],
        ] as const)
          expect(await controller.open(signedOf(other), other, 'other')).toEqual({ isOpen: false, why: 'busy', busy })
        expect((await witness.keys('*')).sort()).toEqual(before)
        await controller.close({ runId: plan.runId, owner: 'owner' }, plan)
        const next = aPlan({ instances: ['two', 'three'], candidates: { journal: 3 } })
        expect(await controller.open(signedOf(next), next, 'owner')).toMatchObject({ isOpen: true })
      })

      it('has one winner where two controllers want one instance', async () => {
        const [one, two] = [fleetOn(server.port).controller, fleetOn(server.port).controller]
        await one.permit(HOUR, 'ann', 'a test')
        for (let round = 0; round < 25; round += 1) {
          const id = `instance-${round}`
          const results = await Promise.all(
            [one, two].map((controller) => {
              const plan = aPlan({ instances: [id] })
              return controller.open(signedOf(plan), plan, 'owner')
            }),
          )
          expect(results.map(({ isOpen }) => isOpen).sort()).toEqual([false, true])
          expect(results.find(({ isOpen }) => !isOpen)).toEqual({ isOpen: false, why: 'busy', busy: [id] })
        }
      })

      it('takes 10,000 instances', async () => {
        const { agent, controller } = fleetOn(server.port)
        await controller.permit(HOUR, 'ann', 'a test')
        const instance = anInstance()
        const plan = aPlan({ instances: [...Array.from({ length: 9_999 }, (_, n) => `host-${n}`), instance.id] })
        expect(await controller.open(signedOf(plan), plan, 'owner')).toMatchObject({ isOpen: true })
        expect((await agent.read(instance)).run?.signed).toEqual(signedOf(plan))
      })
    })

    describe('renewing a run', () => {
      it('extends the lease, raises the beat, and activates once', async () => {
        const { agent, controller, witness } = fleetOn(server.port)
        const instance = anInstance()
        const plan = aPlan({ instances: [instance.id] })
        const run = { runId: plan.runId, owner: 'owner' }
        await controller.permit(HOUR, 'ann', 'a test')
        await controller.open(signedOf(plan), plan, 'owner')
        await witness.pexpire(`{chaos:test}:run:${plan.runId}`, 2_000)
        expect(await controller.renew(run, 5_000, 'prepare')).toBe('renewed')
        const prepared = await agent.read(instance)
        expect(prepared.run).toMatchObject({ phase: 'prepare', beat: 2 })
        expect(prepared.run?.remainingMs).toBeGreaterThan(3_000)
        for (const [phase, beat] of [
          ['active', 3],
          ['active', 4],
          // It has begun, whatever a late call says.
          ['prepare', 5],
        ] as const) {
          expect(await controller.renew(run, 5_000, phase)).toBe('renewed')
          expect((await agent.read(instance)).run).toMatchObject({ phase: 'active', beat })
        }
        expect((await controller.audit(10)).map(({ what }) => what)).toEqual(['permit', 'open', 'activate'])
      })

      it('finds a run lost that is gone or has another owner, and never makes it again', async () => {
        const { controller, witness } = fleetOn(server.port)
        const plan = aPlan({ instances: ['one'] })
        await controller.permit(HOUR, 'ann', 'a test')
        await controller.open(signedOf(plan), plan, 'owner')
        expect(await controller.renew({ runId: plan.runId, owner: 'other' }, 5_000, 'active')).toBe('lost')
        await witness.pexpire(`{chaos:test}:run:${plan.runId}`, 1)
        const exists = () => witness.exists(`{chaos:test}:run:${plan.runId}`)
        await vi.waitFor(async () => expect(await exists()).toBe(0))
        expect(await controller.renew({ runId: plan.runId, owner: 'owner' }, 5_000, 'active')).toBe('lost')
        expect(await exists()).toBe(0)
      })

      it.each(['a halt', 'a halt that was lifted', 'a permit that was withdrawn'])(
        'ends by %s between the two phases',
        async (what) => {
          const { agent, controller } = fleetOn(server.port)
          const instance = anInstance()
          const plan = aPlan({ instances: [instance.id] })
          await controller.permit(HOUR, 'ann', 'a test')
          await controller.open(signedOf(plan), plan, 'owner')
          if (what === 'a permit that was withdrawn') await controller.permit(0, 'ann', 'enough')
          else await fleetOn(server.port).controller.halt('stop', 'bob')
          if (what === 'a halt that was lifted') await controller.permit(HOUR, 'ann', 'again')
          expect(await controller.renew({ runId: plan.runId, owner: 'owner' }, 5_000, 'active')).toBe(
            what === 'a permit that was withdrawn' ? 'not-permitted' : 'halted',
          )
          const { isPermitted, epoch, run } = await agent.read(instance)
          expect(run?.phase).toBe('prepare')
          expect(isPermitted).toBe(what === 'a halt that was lifted')
          if (isPermitted) expect(epoch).toBeGreaterThan(run?.epoch ?? epoch)
        },
      )
    })

    it('closes a run for its owner alone', async () => {
      const { agent, controller } = fleetOn(server.port)
      const instance = anInstance()
      const plan = aPlan({ instances: [instance.id] })
      await controller.permit(HOUR, 'ann', 'a test')
      await controller.open(signedOf(plan), plan, 'owner')
      await controller.close({ runId: plan.runId, owner: 'other' }, plan)
      expect((await agent.read(instance)).run).toBeDefined()
      await controller.close({ runId: plan.runId, owner: 'owner' }, plan)
      expect((await agent.read(instance)).run).toBeUndefined()
      await controller.close({ runId: plan.runId, owner: 'owner' }, plan)
      expect((await controller.audit(10)).map(({ what }) => what)).toEqual(['permit', 'open', 'close'])
    })

    it('keeps the latest answer of each instance for an hour', async () => {
      const { agent, controller, witness } = fleetOn(server.port)
      expect(await controller.acks('run')).toEqual(new Map())
      const applied: Ack = { status: 'applied', hits: 3, evidence: [{ peer: '127.0.0.1:1' }] }
      await agent.ack('run', 'one', { status: 'ready' })
      await agent.ack('run', 'one', applied)
      await agent.ack('run', 'two', { status: 'refused', why: 'no such target' })
      await agent.ack('run', 'three', { ...applied, evidence: [{ text: 'x'.repeat(20_000) }] })
      await witness.hset('{chaos:test}:acks:run', 'four', '{"status":"fine"}', 'five', 'nonsense')
      expect(await controller.acks('run')).toEqual(
        new Map<string, Ack>([
          ['one', applied],
          ['two', { status: 'refused', why: 'no such target' }],
          ['three', { status: 'applied', hits: 3 }],
        ]),
      )
      expect(await witness.pttl('{chaos:test}:acks:run')).toBeGreaterThan(HOUR - 60_000)
    })

    describe('permit and halt', () => {
      it('are told apart, with a reason and the rest of the window', async () => {
        const { controller } = fleetOn(server.port)
        expect(await controller.status()).toEqual({ isPermitted: false, openForMs: 0, halt: undefined, epoch: 0 })
        const { epoch } = await controller.permit(HOUR, 'ann', 'a test')
        const open = await controller.status()
        expect(open).toMatchObject({ isPermitted: true, halt: undefined, epoch })
        expect(open.openForMs).toBeGreaterThan(HOUR - 60_000)
        expect(open.openForMs).toBeLessThanOrEqual(HOUR)
        const halted = await controller.halt('checkout is slow', 'bob')
        expect(halted.replicas).toBe(0)
        expect(await controller.status()).toMatchObject({
          isPermitted: false,
          halt: 'checkout is slow',
          epoch: halted.epoch,
        })
      })

      it('closes the window by itself', async () => {
        const { agent, controller } = fleetOn(server.port)
        await controller.permit(HOUR, 'ann', 'a test')
        expect((await agent.read(anInstance())).isPermitted).toBe(true)
        await controller.permit(40, 'ann', 'a shorter one')
        await vi.waitFor(async () => expect((await agent.read(anInstance())).isPermitted).toBe(false))
        expect(await controller.status()).toMatchObject({ isPermitted: false, openForMs: 0 })
      })

      it('raise the epoch with each halt and each opening, above the clock of the engine', async () => {
        const { controller, witness } = fleetOn(server.port)
        const [seconds] = await witness.time()
        const first = await controller.permit(HOUR, 'ann', 'a test')
        expect(first.epoch).toBeGreaterThanOrEqual(Number(seconds) * 1_000)
        // A longer window is the same window: it ends no run.
        expect(await controller.permit(2 * HOUR, 'ann', 'longer')).toEqual(first)
        const ahead = first.epoch + HOUR
        await witness.set('{chaos:test}:epoch', ahead)
        expect((await controller.halt('stop', 'bob')).epoch).toBe(ahead + 1)
        expect((await controller.permit(HOUR, 'ann', 'again')).epoch).toBe(ahead + 2)
        expect((await controller.permit(0, 'ann', 'enough')).epoch).toBe(ahead + 2)
        expect((await controller.permit(HOUR, 'ann', 'again')).epoch).toBe(ahead + 3)
        const epochs = await Promise.all(Array.from({ length: 20 }, () => controller.halt('stop', 'bob')))
        expect(new Set(epochs.map(({ epoch }) => epoch)).size).toBe(20)
      })

      it.each(['abc', '', 'inf', 'nan', '-5', '1.5', '1e300', '9007199254740991', '9007199254740993'])(
        'replace an epoch that is none: "%s"',
        async (epoch) => {
          const { agent, controller, witness } = fleetOn(server.port)
          await witness.set('{chaos:test}:epoch', epoch)
          const opened = await controller.permit(HOUR, 'ann', 'a test')
          expect(await agent.read(anInstance())).toMatchObject({ isPermitted: true, epoch: opened.epoch })
          await witness.set('{chaos:test}:epoch', epoch)
          // The window is open, and the next one who opens it still heals it.
          const again = await controller.permit(HOUR, 'ann', 'a test')
          expect(await agent.read(anInstance())).toMatchObject({ isPermitted: true, epoch: again.epoch })
          await witness.set('{chaos:test}:epoch', epoch)
          const halted = await controller.halt('stop', 'bob')
          expect(await agent.read(anInstance())).toMatchObject({ isPermitted: false, epoch: halted.epoch })
        },
      )

      it('takes a halt and a permit that somebody wrote by hand', async () => {
        const { agent, controller, witness } = fleetOn(server.port)
        await witness.set('{chaos:test}:permit', '1')
        expect((await agent.read(anInstance())).isPermitted).toBe(true)
        expect((await controller.status()).openForMs).toBe(Number.POSITIVE_INFINITY)
        await witness.set('{chaos:test}:halt', 'by hand')
        expect((await agent.read(anInstance())).isPermitted).toBe(false)
        expect((await controller.status()).halt).toBe('by hand')
      })
    })

    it('logs who did what, by the clock of the engine, oldest first', async () => {
      const { controller } = fleetOn(server.port)
      const before = Date.now()
      await controller.permit(HOUR, 'ann', 'a test')
      const plan = aPlan({ instances: ['one', 'two'], candidates: { journal: 3 } })
      await controller.open(signedOf(plan), plan, 'owner')
      await controller.halt('checkout is slow', 'bob')
      await controller.note('verdict', 'ann', { runId: plan.runId, verdict: 'pass' })
      const entries = await controller.audit(10)
      expect(entries.map(({ what, by, details }) => [what, by, details])).toEqual([
        ['permit', 'ann', { reason: 'a test', forMs: String(HOUR) }],
        [
          'open',
          'ann',
          expect.objectContaining({ runId: plan.runId, instances: '2', services: 'journal', signature: 'signature' }),
        ],
        ['halt', 'bob', { reason: 'checkout is slow' }],
        ['verdict', 'ann', { runId: plan.runId, verdict: 'pass' }],
      ])
      for (const { at } of entries) expect(Math.abs(at - before)).toBeLessThan(60_000)
      expect((await controller.audit(2)).map(({ what }) => what)).toEqual(['halt', 'verdict'])
      expect(await controller.audit(0)).toEqual([])
    })

    it('wakes agents whatever a message says, until they no longer listen', async () => {
      const { agent, controller, witness } = fleetOn(server.port)
      const woken = vi.fn()
      const stop = agent.onWake(woken)
      // Once when it listens: something may have happened before.
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
      await controller.halt('stop', 'bob')
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(2))
      await witness.publish('{chaos:test}:wake', '{"run":"forged"}')
      await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(3))
      stop()
      const other = vi.fn()
      agent.onWake(other)
      await vi.waitFor(async () => {
        await witness.publish('{chaos:test}:wake', '')
        expect(other).toHaveBeenCalled()
      })
      expect(woken).toHaveBeenCalledTimes(3)
    })

    it('subscribes on a connection of its own where ioredis cannot do both on one', async () => {
      const { agent, witness } = fleetOn(server.port, { fleet: 'counted' })
      const woken = vi.fn()
      agent.onWake(woken)
      await vi.waitFor(() => expect(woken).toHaveBeenCalled())
      await agent.read(anInstance())
      const connections = String(await witness.call('CLIENT', 'LIST')).match(/name=chaos-fleet:counted /g)
      expect(connections).toHaveLength(Reflect.get(witness.options, 'protocol') === 3 ? 1 : 2)
    })

    it('keeps fleets on one server apart', async () => {
      const { agent, controller } = fleetOn(server.port)
      const other = redisControllerTransport({ fleet: 'other', port: server.port })
      await controller.permit(HOUR, 'ann', 'a test')
      await agent.read(anInstance())
      expect(await other.list()).toEqual([])
      expect(await other.status()).toMatchObject({ isPermitted: false, epoch: 0 })
      await other.disconnect()
    })
  },
)
