import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aclFile, makeKey, redisControllerTransport, signPlan, type Plan, type Role } from '@chaos/fleet/controller'
import { hasPrograms } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  accountSince,
  instantOf,
  makeFleet,
  monotonicMs,
  pollMs,
  promoteLagging,
  rollOver,
  startEngine,
  startPrimary,
  type AgentsOptions,
  type ControllerProcess,
  type Engine,
  type Fleet,
} from '../src/index.js'

const LEASE_MS = 4_000
const HOUR = 3_600_000
const ALLOWANCE_MS = 1_000
const mute = { target: 'speaker', fault: 'mute' } as const

describe.runIf(process.platform === 'linux' && hasPrograms('redis-server'))(
  'a fleet of real processes (skipped without Linux, or `redis-server`: Debian package redis-server)',
  () => {
    let engine: Engine
    beforeAll(async () => {
      engine = await startEngine()
    })
    afterAll(() => engine.stop())

    /** A fleet with a controller, for one test. */
    async function fleetWith(
      options: AgentsOptions,
      on: Engine = engine,
    ): Promise<{ readonly fleet: Fleet; readonly controller: ControllerProcess }> {
      const fleet = await makeFleet(on)
      onTestFinished(() => fleet.stop())
      const [controller] = await Promise.all([
        fleet.addController({ leaseMs: LEASE_MS }),
        fleet.addAgents({ idlePollMs: 500, ...options }),
      ])
      return { fleet, controller }
    }
    const idsOf = ({ processes }: Fleet): readonly string[] => processes.flatMap(({ ids }) => ids)

    /** The plan of the latest run of a controller. */
    async function latestPlan(controller: ControllerProcess): Promise<Plan> {
      const run = (await controller.runs()).at(-1)
      return run?.plan ?? expect.fail('There is no run.')
    }

    it('G4: ends a run by a halt, though the controller is dead and no wake-up arrives', async () => {
      const { fleet, controller } = await fleetWith({ agents: 6, processes: 2, isDeaf: true })
      await controller.inject(mute)
      const { runId } = await latestPlan(controller)
      await controller.kill()
      await fleet.operator.halt('enough', 'anybody')
      await fleet.events.when(() => fleet.events.inForce.size === 0)
      const answers = [...(await fleet.operator.acks(runId)).values()]
      expect(answers.map(({ why }) => why)).toEqual(Array(6).fill('halted'))
    })

    it('G6: reverts within the lease and one read, though the engine says that an hour is left', async () => {
      const { fleet, controller } = await fleetWith({ agents: 6, processes: 2, remainingMs: HOUR })
      await controller.inject(mute)
      await fleet.watch()
      const atMs = await instantOf(() => controller.kill())
      await fleet.events.when(() => fleet.events.inForce.size === 0)
      const { lastRevertedMs } = accountSince(fleet.events, atMs)
      expect(lastRevertedMs).toBeLessThanOrEqual(
        LEASE_MS + pollMs(LEASE_MS) + (await fleet.watch()).lateMs + ALLOWANCE_MS,
      )
    })

    it('G7: breaks exactly the chosen instances, the same for a seed, and never one that joins later', async () => {
      const { fleet, controller } = await fleetWith({ agents: 20, processes: 4 })
      const { events } = fleet
      async function chosenBy(share: number): Promise<readonly string[]> {
        const { id } = await controller.inject({ ...mute, target: `speaker[service=lab,share=${share},seed=a]` })
        const { instances } = await latestPlan(controller)
        await events.when(() => events.inForce.size >= instances.length)
        expect([...events.inForce].sort()).toEqual([...instances].sort())
        expect([...(await fleet.broken())].sort()).toEqual([...instances].sort())
        await controller.stop(id)
        await events.when(() => events.inForce.size === 0)
        return instances
      }
      const quarter = await chosenBy(0.25)
      expect(quarter).toHaveLength(5)
      expect(await chosenBy(0.25)).toEqual(quarter)
      const half = await chosenBy(0.5)
      expect(half).toHaveLength(10)
      expect(half).toEqual(expect.arrayContaining([...quarter]))

      await controller.inject({ ...mute, target: 'speaker[service=lab,share=0.5,seed=a]' })
      const victim = fleet.processes.find(({ ids }) => ids.some((id) => half.includes(id))) ?? expect.fail('none')
      const atMs = await instantOf(() => victim.kill())
      await fleet.addAgents({ agents: 5, idlePollMs: 500 })
      await fleet.readAgain()
      expect(accountSince(events, atMs).applied).toBe(0)
    })

    it('G8: breaks nobody when one instance refuses', async () => {
      const { fleet, controller } = await fleetWith({ agents: 6, processes: 2 })
      await fleet.addAgents({ agents: 1, idlePollMs: 500, keys: { lab: makeKey('lab').publicKey } })
      const atMs = monotonicMs()
      await expect(controller.inject(mute)).rejects.toThrow('1 of 7 instances refused the plan')
      await fleet.readAgain()
      expect(accountSince(fleet.events, atMs).applied).toBe(0)
      expect(await fleet.broken()).toEqual([])
    })

    it('G9: is no burden while Redis is down at boot, or refuses the password, and says so once', async () => {
      const own = await startEngine({ options: ['--requirepass', 'the-right-password'] })
      onTestFinished(() => own.stop())
      const fleet = await makeFleet(engine)
      onTestFinished(() => fleet.stop())
      const some = { agents: 3, idlePollMs: 100, waits: 'never' } as const
      const [[refused], [down]] = await Promise.all([
        fleet.addAgents({ ...some, redis: { port: own.port, password: 'a-wrong-password' } }),
        fleet.addAgents({ ...some, redis: { port: 1 } }),
      ])
      for (const process of [refused, down]) {
        const failures = async (): Promise<number> => (await process?.counts())?.failedReads ?? 0
        await expect.poll(failures, { timeout: 8_000 }).toBeGreaterThanOrEqual(9)
        const lines = (await process?.lines()) ?? []
        expect(lines).toEqual(Array(3).fill(expect.stringContaining('The engine of the fleet does not answer')))
        expect(lines.join('\n')).not.toContain('a-wrong-password')
      }
      expect(await fleet.broken()).toEqual([])
    })

    it('G10: runs no plan that was changed, is used again, is for elsewhere, is too large, or is signed by another key', async () => {
      const { fleet, controller } = await fleetWith({ agents: 4, processes: 2 })
      const { events, key, operator } = fleet
      const { id } = await controller.inject(mute)
      const used = await latestPlan(controller)
      await controller.stop(id)
      const signed = signPlan(used, key.privateKey, key.keyId)
      // A lease that outlasts the reads of any machine: what counts here is what agents say, not when.
      const leaseMs = 60_000
      const fresh = (name: string): Plan => ({ ...used, leaseMs, runId: `${name}-`.padEnd(24, '0') })
      const [stranger, namesake] = [makeKey('stranger'), makeKey('lab')]
      const changed = signPlan(fresh('changed'), key.privateKey, key.keyId)
      const tooLarge = fresh('too-large')
      const attempts = [
        { plan: used, signed },
        { plan: fresh('changed'), signed: { ...changed, text: changed.text.replace('"quorum":4', '"quorum":1') } },
        { plan: fresh('renamed'), signed },
        ...[stranger, namesake].map(({ privateKey, keyId }, index) => {
          const plan = fresh(`foreign-key-${index}`)
          return { plan, signed: signPlan(plan, privateKey, keyId) }
        }),
        ...[{ environment: 'production' }, { fleet: 'another' }].map((change, index) => {
          const plan = { ...fresh(`elsewhere-${index}`), ...change }
          return { plan, signed: signPlan(plan, key.privateKey, key.keyId) }
        }),
        { plan: tooLarge, signed: { ...signed, text: `${signed.text}${' '.repeat(1_048_576)}` } },
      ]
      const atMs = monotonicMs()
      for (const { plan, signed: given } of attempts) {
        const run = { runId: plan.runId, owner: 'somebody' }
        expect(await operator.open(given, plan, run.owner)).toMatchObject({ isOpen: true })
        await fleet.readAgain()
        expect(await operator.renew(run, leaseMs, 'active')).toBe('renewed')
        await fleet.readAgain()
        const answers = async (): Promise<readonly string[]> =>
          [...(await operator.acks(plan.runId)).values()].map(({ status }) => status)
        // A run that is over stays so; what is too large is as good as none; every other is refused by each.
        const statuses = plan === tooLarge ? [] : Array(4).fill(plan === used ? 'reverted' : 'refused')
        await expect.poll(answers, { message: plan.runId, timeout: 45_000 }).toEqual(statuses)
        await operator.close(run, plan)
      }
      await fleet.readAgain()
      expect(accountSince(events, atMs).applied).toBe(0)
      expect(await fleet.broken()).toEqual([])
    })

    it('G10: runs by users of Redis that may do no more than their roles', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'chaos-acl-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const file = join(folder, 'users.acl')
      writeFileSync(file, '')
      const own = await startEngine({ options: ['--aclfile', file] })
      onTestFinished(() => own.stop())
      const fleet = await makeFleet(own)
      onTestFinished(() => fleet.stop())
      const password = 'a-password-of-a-role'
      writeFileSync(
        file,
        aclFile(fleet.name, { agent: password, controller: password, halter: password, operator: password }),
      )
      await own.witness.call('ACL', 'LOAD')
      const as = (role: Role) => ({
        host: '127.0.0.1',
        port: own.port,
        username: `chaos-${fleet.name}-${role}`,
        password,
      })
      const [controller] = await Promise.all([
        fleet.addController({ leaseMs: LEASE_MS, redis: as('controller') }),
        fleet.addAgents({ agents: 4, processes: 2, redis: as('agent') }),
      ])
      await controller.inject(mute)
      expect(await fleet.broken()).toHaveLength(4)
      const rogue = redisControllerTransport({ fleet: fleet.name, ...as('controller') })
      onTestFinished(() => rogue.disconnect())
      await expect(rogue.permit(HOUR, 'rogue', 'more')).rejects.toMatchObject({ code: 'CHAOS_FLEET_FORBIDDEN' })
      await expect(rogue.halt('no', 'rogue')).rejects.toMatchObject({ code: 'CHAOS_FLEET_FORBIDDEN' })
      const halter = redisControllerTransport({ fleet: fleet.name, ...as('halter') })
      onTestFinished(() => halter.disconnect())
      await halter.halt('enough', 'anybody')
      await fleet.events.when(() => fleet.events.inForce.size === 0)
    })

    it('leaves nothing behind when every process is restarted during a run', async () => {
      const { fleet, controller } = await fleetWith({ agents: 12, processes: 4 })
      const { id } = await controller.inject(mute)
      const old = idsOf(fleet)
      const { reapplied, orphans } = await rollOver(fleet, { idlePollMs: 500 }, () => controller.stop(id))
      expect([reapplied, orphans]).toEqual([0, 0])
      expect(idsOf(fleet).filter((one) => old.includes(one))).toEqual([])
      await controller.inject(mute)
      await fleet.events.when(() => fleet.events.inForce.size === 12)
    })

    it('G3: brings nothing back when a replica that has not heard of a halt becomes the primary', async () => {
      let primary = await startPrimary()
      onTestFinished(() => primary.engine.stop())
      const { fleet } = await fleetWith({ agents: 6, processes: 2 }, primary.engine)
      const promotion = await promoteLagging(primary, fleet, LEASE_MS)
      ;({ primary } = promotion)
      expect(promotion.trial).toMatchObject({ confirmed: 0, isForgotten: true, reapplied: 0 })
      const controller = await fleet.addController({ leaseMs: LEASE_MS })
      await controller.inject(mute)
      await fleet.events.when(() => fleet.events.inForce.size === 6)
    })
  },
)
