import { createChaos, target, type Chaos, type ChaosOptions } from '@chaos/core'
import { defineFault, option } from '@chaos/core/authoring'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Plan } from '../plan/plan.js'
import { makeKey } from '../plan/key-files.js'
import { signPlan } from '../plan/signature.js'
import { testPlan } from '../testing/plans.js'
import { memoryEngine, type MemoryEngine } from '../transports/memory.js'
import type { Ack, ControllerTransport } from '../transports/transport.js'
import { joinFleet, type FleetMember, type JoinFleetOptions } from './join-fleet.js'

const key = makeKey('ops')
const keys = { ops: key.publicKey }

interface Speaker {
  say(): string
}
const isSpeaker = { expects: 'a speaker', accepts: (value: unknown) => value instanceof Object && 'say' in value }

/** Patches a member, so that a sealed speaker cannot be broken. */
const silence = defineFault({
  name: 'test/silence',
  kind: 'standing',
  summary: 'Silences a speaker.',
  options: { with: option.optional(option.text('What it says instead.', 10), '-') },
  target: isSpeaker,
  inject(speaker: Speaker, { with: instead }, context) {
    const operation = context.operation('say')
    context.patch(
      speaker,
      'say',
      () =>
        (...args: unknown[]) =>
          operation.shouldInject(args) ? instead : 'hello',
    )
  },
})

const strike = defineFault({
  name: 'test/strike',
  kind: 'instant',
  summary: 'Strikes a speaker.',
  options: {},
  target: isSpeaker,
  inject(_speaker: Speaker, _options, context) {
    if (context.operation('strike').shouldInject([])) context.landed({ struck: true })
  },
})

/** Strikes after 4 s. */
const strikeLate = defineFault({
  name: 'test/strike-late',
  kind: 'instant',
  summary: 'Strikes a speaker late.',
  options: {},
  target: isSpeaker,
  async inject(_speaker: Speaker, _options, context) {
    await new Promise<void>((resolve) => void context.clock.after(4_000, resolve))
    if (context.operation('strike').shouldInject([])) context.landed({ struck: true })
  },
})

interface Scene {
  readonly clock: ManualClock
  readonly engine: MemoryEngine
  readonly controller: ControllerTransport
  readonly chaos: Chaos
  readonly speaker: Speaker
  readonly member: FleetMember
  readonly lines: string[]
  /** A plan for this process. */
  readonly plan: (given?: Partial<Plan>) => Plan
  readonly open: (plan: Plan, sign?: (plan: Plan) => ReturnType<typeof signPlan>) => Promise<void>
  readonly renew: (plan: Plan) => Promise<string>
  readonly answer: (plan: Plan) => Promise<Ack | undefined>
}

async function scene(
  join: Partial<JoinFleetOptions> = {},
  { speaker = { say: () => 'hello' }, ...made }: Partial<ChaosOptions<never>> & { speaker?: Speaker } = {},
): Promise<Scene> {
  const clock = manualClock(1_000_000)
  const engine = memoryEngine({ clock })
  const controller = engine.controller()
  const chaos = createChaos({
    environment: 'test',
    clock,
    ...made,
    targets: { it: target(speaker, [silence, strike, strikeLate]) },
  })
  const lines: string[] = []
  const member = joinFleet(chaos.controller, {
    transport: engine.agent(),
    fleet: 'test',
    service: 'shop',
    keys,
    clock,
    wallClock: () => clock.now(),
    log: (line) => lines.push(line),
    ...join,
  })
  onTestFinished(async () => {
    const left = member.leave()
    await clock.advance(10_000)
    await left
    await chaos.close()
  })
  const settled = async <T>(asked: Promise<T>): Promise<T> => {
    await clock.advance(0)
    return asked
  }
  await settled(controller.permit(3_600_000, 'operator', 'test'))
  await clock.advance(100)
  return {
    clock,
    engine,
    controller,
    chaos,
    speaker,
    member,
    lines,
    plan: (given = {}) => testPlan({ instances: [member.id], leaseMs: 3_000, maxDurationMs: 20_000, ...given }),
    async open(plan, sign = (one) => signPlan(one, key.privateKey, 'ops')) {
      expect(await settled(controller.open(sign(plan), plan, 'owner'))).toMatchObject({ isOpen: true })
      await clock.advance(100)
    },
    async renew(plan) {
      const renewed = await settled(controller.renew({ runId: plan.runId, owner: 'owner' }, plan.leaseMs, 'active'))
      await clock.advance(100)
      return renewed
    },
    answer: async (plan) => (await settled(controller.acks(plan.runId))).get(member.id),
  }
}

describe('a process in a fleet', () => {
  it('tells who it is, what it has and what it does', async () => {
    const it = await scene({ labels: { zone: 'eu' } })
    const [record] = await it.controller.list()
    expect(record).toMatchObject({
      id: it.member.id,
      service: 'shop',
      environment: 'test',
      labels: { zone: 'eu', host: expect.any(String) as string },
      targets: { it: ['test/silence', 'test/strike', 'test/strike-late'] },
      instant: ['test/strike', 'test/strike-late'],
      state: 'idle',
    })
  })

  it('injects the fault of a run as long as its controller lives, and longer than one lease', async () => {
    const it = await scene()
    const plan = it.plan()
    await it.open(plan)
    expect(await it.answer(plan)).toEqual({ status: 'ready' })
    expect(it.speaker.say()).toBe('hello')
    for (let i = 0; i < 10; i += 1) {
      expect(await it.renew(plan)).toBe('renewed')
      await it.clock.advance(500)
      expect(it.speaker.say()).toBe('-')
    }
    expect(it.member.state).toBe('applied')
    await it.clock.advance(700)
    const applied = await it.answer(plan)
    expect(applied).toMatchObject({ status: 'applied', hits: 10, evidence: [] })
    // The first word was said half a second after the begin.
    const { appliedAgoMs = 0, landedAgoMs = 0 } = applied ?? {}
    expect(landedAgoMs).toBeGreaterThan(4_000)
    expect(Math.abs(appliedAgoMs - landedAgoMs - 500)).toBeLessThanOrEqual(150)
    await it.clock.advance(600)
    // Nothing has happened since.
    expect(await it.answer(plan)).toEqual(applied)
    await it.clock.advance(3_000)
    expect(it.speaker.say()).toBe('hello')
    expect(await it.answer(plan)).toMatchObject({
      status: 'reverted',
      why: expect.stringMatching(/^(deadline|run-gone)$/) as string,
      hits: 10,
      evidence: [],
    })
    expect(it.member.state).toBe('idle')
  })

  it('has no hit at the deadline, though neither a timer nor the agent could run', async () => {
    let offsetMs = 0
    const manual = manualClock(1_000_000)
    // The time goes on while the loop is blocked; timers fire only when it runs again.
    const clock = { now: () => manual.now() + offsetMs, after: manual.after.bind(manual) }
    const engine = memoryEngine({ clock })
    const speaker = { say: () => 'hello' }
    const chaos = createChaos({ environment: 'test', clock, targets: { it: target(speaker, [silence]) } })
    const member = joinFleet(chaos, {
      transport: engine.agent(),
      fleet: 'test',
      service: 'shop',
      keys,
      clock,
      wallClock: () => clock.now(),
      log: () => undefined,
    })
    onTestFinished(async () => {
      const left = member.leave()
      await manual.advance(10_000)
      await left
    })
    const plan = testPlan({ instances: [member.id], leaseMs: 3_000 })
    const controller = engine.controller()
    const asked = [
      controller.permit(3_600_000, 'operator', 'test'),
      controller.open(signPlan(plan, key.privateKey, 'ops'), plan, 'owner'),
    ]
    await manual.advance(100)
    await Promise.all(asked)
    void controller.renew({ runId: plan.runId, owner: 'owner' }, 3_000, 'active')
    await manual.advance(100)
    expect(speaker.say()).toBe('-')
    // The last read was sent less than a lease ago; now the loop is blocked for longer.
    offsetMs = 2_800
    expect(speaker.say()).toBe('-')
    offsetMs = 3_100
    expect(speaker.say()).toBe('hello')
  })

  it('reports what an instant fault did, once', async () => {
    const it = await scene()
    const plan = it.plan({ fault: 'test/strike' })
    await it.open(plan)
    await it.renew(plan)
    for (let i = 0; i < 3; i += 1) {
      await it.clock.advance(600)
      await it.renew(plan)
    }
    const applied = { status: 'applied', hits: 1, evidence: [{ struck: true }] }
    expect(await it.answer(plan)).toMatchObject(applied)
    const closed = it.controller.close({ runId: plan.runId, owner: 'owner' }, plan)
    await it.clock.advance(100)
    await closed
    expect(await it.answer(plan)).toMatchObject({ ...applied, status: 'reverted', why: 'run-gone' })
  })

  it('waits for a fault that takes longer than a lease to land, as long as the run goes on', async () => {
    const it = await scene()
    const plan = it.plan({ fault: 'test/strike-late' })
    await it.open(plan)
    for (let i = 0; i < 8; i += 1) {
      await it.renew(plan)
      await it.clock.advance(500)
    }
    await it.clock.advance(600)
    const answer = await it.answer(plan)
    expect(answer).toMatchObject({ status: 'applied', hits: 1, evidence: [{ struck: true }] })
    expect((answer?.appliedAgoMs ?? 0) - (answer?.landedAgoMs ?? 0)).toBe(4_000)
  })

  it('stops what somebody in the process stops, and does not inject it again', async () => {
    const it = await scene()
    const plan = it.plan()
    await it.open(plan)
    await it.renew(plan)
    await it.chaos.stopAll()
    await it.clock.advance(100)
    expect(await it.answer(plan)).toMatchObject({ status: 'reverted', why: 'stopped' })
    await it.renew(plan)
    await it.clock.advance(1_000)
    expect(it.speaker.say()).toBe('hello')
  })

  it('never lets a fault last longer than the plan says', async () => {
    const it = await scene()
    const plan = it.plan({ maxDurationMs: 2_000 })
    await it.open(plan)
    for (let i = 0; i < 4; i += 1) {
      await it.renew(plan)
      await it.clock.advance(400)
    }
    await it.clock.advance(100)
    expect(await it.answer(plan)).toMatchObject({ status: 'reverted', why: 'max-duration' })
    expect(it.speaker.say()).toBe('hello')
  })

  it('says that a target cannot be broken', async () => {
    const it = await scene({}, { speaker: Object.freeze({ say: () => 'hello' }) })
    const plan = it.plan()
    await it.open(plan)
    expect(await it.answer(plan)).toEqual({ status: 'ready' })
    await it.renew(plan)
    expect(await it.answer(plan)).toMatchObject({
      status: 'refused',
      why: expect.stringContaining('cannot be replaced') as string,
    })
  })

  it('leaves the fleet on SIGTERM, so that no run waits for it', async () => {
    const clock = manualClock(1_000_000)
    const transport = memoryEngine({ clock }).agent()
    const close = vi.spyOn(transport, 'close')
    const chaos = createChaos({ environment: 'test', clock })
    joinFleet(chaos, { transport, fleet: 'test', service: 'shop', keys, clock, log: () => undefined })
    onTestFinished(() => chaos.close())
    // The application's own handler decides how the process ends.
    const own = vi.fn()
    process.on('SIGTERM', own)
    onTestFinished(() => void process.off('SIGTERM', own))
    process.emit('SIGTERM', 'SIGTERM')
    expect(own).toHaveBeenCalledOnce()
    await clock.advance(100)
    expect(close).toHaveBeenCalledOnce()
  })

  it('leaves everything whole, at once, and is not heard of again', async () => {
    const it = await scene()
    const plan = it.plan()
    await it.open(plan)
    await it.renew(plan)
    expect(it.speaker.say()).toBe('-')
    const left = it.member.leave()
    expect(it.speaker.say()).toBe('hello')
    await it.clock.advance(100)
    await left
    expect(await it.answer(plan)).toMatchObject({ status: 'reverted', why: 'shutdown' })
    await it.clock.advance(60_000)
    const listed = it.controller.list()
    await it.clock.advance(0)
    expect(await listed).toEqual([])
  })
})

describe('a process refuses', () => {
  it.each<[string, string, Partial<Plan>, Partial<JoinFleetOptions>?]>([
    ['a plan of another fleet', 'for the fleet "other"', { fleet: 'other' }],
    ['a plan for another environment', 'for the environment "production"', { environment: 'production' }],
    ['a target that it has not', 'no target "db"', { target: 'db' }],
    ['a fault that the target does not accept', 'does not accept the fault', { fault: 'test/shout' }],
    ['options that the fault does not accept', '`with`', { options: { with: 7 } }],
    ['a plan beyond its own caps', '`maxShare`', { candidates: { shop: 4 }, caps: { maxShare: 0.1 } }],
    ['a plan beyond the caps of the process', '`minHealthy`', {}, { caps: { minHealthy: 1 } }],
    ['a plan that the policy does not allow', 'The policy has no rules', {}, { policy: { version: 1, rules: [] } }],
    ['a plan that lasts longer than its controller allows', '`maxLeaseMs`', { maxDurationMs: 600_001 }],
  ])('%s', async (_what, why, given, join) => {
    const it = await scene(join)
    const plan = it.plan(given)
    await it.open(plan)
    await it.renew(plan)
    expect(await it.answer(plan)).toMatchObject({ status: 'refused', why: expect.stringContaining(why) as string })
    expect(it.speaker.say()).toBe('hello')
  })

  it.each<[string, string, (plan: Plan) => ReturnType<typeof signPlan>]>([
    ['a key that is not pinned', 'not pinned', (plan) => signPlan(plan, makeKey('eve').privateKey, 'eve')],
    ['a forged signature', 'signature', (plan) => signPlan(plan, makeKey('ops').privateKey, 'ops')],
    [
      'the signed plan of another run',
      'another run',
      (plan) => signPlan({ ...plan, runId: `${plan.runId}-again` }, key.privateKey, 'ops'),
    ],
    [
      'a plan of before its start',
      'does not name this instance',
      (plan) => signPlan({ ...plan, instances: ['host:1:before'] }, key.privateKey, 'ops'),
    ],
  ])('%s', async (_what, why, sign) => {
    const it = await scene()
    const plan = it.plan()
    await it.open(plan, sign)
    await it.renew(plan)
    expect(await it.answer(plan)).toMatchObject({ status: 'refused', why: expect.stringContaining(why) as string })
    expect(it.speaker.say()).toBe('hello')
  })

  it.each([
    ['in production', { environment: 'production', allowEnvironments: ['production'] }, 'production'],
    ['where its controller is not allowed', { environment: 'staging' }, 'allowEnvironments'],
  ])('every plan %s, whatever the plan says', async (_what, made, why) => {
    const it = await scene({}, made)
    const plan = it.plan({ environment: made.environment })
    // Not even the signature is looked at: the process decides first.
    await it.open(plan, (one) => signPlan(one, makeKey('eve').privateKey, 'eve'))
    expect(await it.answer(plan)).toMatchObject({ status: 'refused', why: expect.stringContaining(why) as string })
  })

  it('a plan that was held back until its window has closed', async () => {
    const windows = [{ days: ['thu'], from: '00:00', to: '00:18', timeZone: 'UTC' }] as const
    const rule = { name: 'nights', keys: '*', environments: '*', services: '*', faults: '*', windows }
    // The clock begins at 00:16:40 on a Thursday.
    const it = await scene({ policy: { version: 1, rules: [rule] } })
    const plan = it.plan()
    await it.open(plan)
    expect(await it.answer(plan)).toEqual({ status: 'ready' })
    for (let i = 0; i < 90; i += 1) {
      const held = it.controller.renew({ runId: plan.runId, owner: 'owner' }, plan.leaseMs, 'prepare')
      await it.clock.advance(1_000)
      expect(await held).toBe('renewed')
    }
    await it.renew(plan)
    expect(it.speaker.say()).toBe('hello')
    expect(await it.answer(plan)).toMatchObject({
      status: 'refused',
      why: expect.stringContaining('none of its windows is open') as string,
    })
  })

  it('every plan while chaos is disabled', async () => {
    const it = await scene()
    vi.stubEnv('CHAOS_DISABLED', '1')
    const plan = it.plan()
    await it.open(plan)
    expect(await it.answer(plan)).toMatchObject({
      status: 'refused',
      why: expect.stringContaining('CHAOS_DISABLED') as string,
    })
  })

  it('invalid options at once', () => {
    const chaos = createChaos({ environment: 'test' })
    onTestFinished(() => chaos.close())
    const transport = memoryEngine().agent()
    const base = { transport, fleet: 'test', service: 'shop', keys }
    const refused = (why: string) =>
      expect.objectContaining({
        code: 'CHAOS_INVALID_OPTION',
        message: expect.stringContaining(why) as string,
      }) as Error
    expect(() => joinFleet(chaos, { ...base, fleet: '' })).toThrow(refused('fleet'))
    expect(() => joinFleet(chaos, { ...base, labels: { zone: 1 as unknown as string } })).toThrow(refused('"zone"'))
    expect(() => joinFleet(chaos, { ...base, idlePollMs: 1 })).toThrow(refused('idlePollMs'))
    expect(() => joinFleet(chaos, { ...base, caps: { maxShare: 2 } })).toThrow(refused('maxShare'))
    expect(() => joinFleet(chaos, { ...base, transport: undefined })).toThrow(refused('`redis`'))
    expect(() => joinFleet(chaos, { ...base, redis: 'redis://127.0.0.1' })).toThrow(refused('`redis`'))
    expect(process.listeners('SIGTERM')).toEqual([])
  })
})

describe('the application', () => {
  it('hears nothing of an engine that is not there but one line', async () => {
    const clock = manualClock(1_000_000)
    const engine = memoryEngine({ clock })
    engine.pause()
    const chaos = createChaos({ environment: 'test', clock })
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const member = joinFleet(chaos, {
      transport: engine.agent(),
      fleet: 'test',
      service: 'shop',
      keys,
      clock,
      wallClock: () => clock.now(),
    })
    await clock.advance(120_000)
    expect(warnings.mock.calls).toEqual([[expect.stringContaining('does not answer'), 'ChaosFleetWarning']])
    const left = member.leave()
    await clock.advance(10_000)
    await left
    await chaos.close()
    expect(clock.pending).toBe(0)
    expect(warnings).toHaveBeenCalledOnce()
  })
})
