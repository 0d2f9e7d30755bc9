import { createChaos, target } from '@chaos/core'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { joinFleet } from '../src/agent/join-fleet.js'
import { makeKey } from '../src/plan/key-files.js'
import { signPlan } from '../src/plan/signature.js'
import { testPlan } from '../src/testing/plans.js'
import { fleetOn, serverForTest } from './redis.js'
import { silence } from './silence.js'

describe.runIf(hasPrograms('redis-server'))(
  'a process in a fleet over Redis (skipped without `redis-server`: Debian package redis-server)',
  () => {
    // A short lease only where it ends the fault.
    it.each([
      ['the run is closed', 'close', 60_000, 'run-gone'],
      ['somebody halts', 'halt', 60_000, 'halted'],
      ['the controller dies', 'nothing', 2_000, /^(deadline|run-gone)$/],
      ['the server is killed', 'kill', 2_000, 'deadline'],
    ])('has the fault in force until %s', async (_what, act, leaseMs, why) => {
      const server = await serverForTest()
      const { agent, controller } = fleetOn(server.port)
      const key = makeKey('ops')
      const speaker = { say: () => 'hello' }
      const chaos = createChaos({ environment: 'test', targets: { it: target(speaker, [silence]) } })
      const lines: string[] = []
      let saidInForce: string | undefined
      const member = joinFleet(chaos, {
        transport: agent,
        fleet: 'test',
        service: 'shop',
        keys: { ops: key.publicKey },
        log(line) {
          lines.push(line)
          if (line.includes('is in force')) saidInForce = speaker.say()
        },
      })
      onTestFinished(async () => {
        await member.leave()
        await chaos.close()
      })
      await controller.permit(3_600_000, 'operator', 'a test')
      const plan = testPlan({ instances: [member.id], leaseMs })
      const run = { runId: plan.runId, owner: 'owner' }
      const { isOpen } = await controller.open(signPlan(plan, key.privateKey, 'ops'), plan, 'owner')
      expect(isOpen).toBe(true)
      const answer = async () => (await controller.acks(plan.runId)).get(member.id)
      await vi.waitFor(async () => {
        expect(await controller.renew(run, leaseMs, 'prepare')).toBe('renewed')
        expect(await answer()).toEqual({ status: 'ready' })
      })
      expect(speaker.say()).toBe('hello')
      expect(await controller.renew(run, leaseMs, 'active')).toBe('renewed')
      await vi.waitFor(() => expect(saidInForce).toBe(''))
      if (act === 'close') await controller.close(run, plan)
      if (act === 'halt') await controller.halt('enough', 'anyone')
      if (act === 'kill') server.process.kill('SIGKILL')
      await vi.waitFor(() => expect(speaker.say()).toBe('hello'))
      await vi.waitFor(() => expect(lines.join('\n')).toMatch(/has ended \((.*)\)/))
      const [, told] = /has ended \((.*?)\)/.exec(lines.join('\n')) ?? []
      expect(told).toMatch(why)
      if (act !== 'kill')
        await vi.waitFor(async () => expect(await answer()).toMatchObject({ status: 'reverted', why: told }))
    })
  },
)
