import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { LOOK_MS, testEngine } from '../../test/engine.js'
import { instance, instances, plan, refusal } from '../../test/fixtures.js'
import type { Plan } from '../plan/plan.js'
import { makeKey } from '../plan/key-files.js'
import { signPlan } from '../plan/signature.js'
import { startRun, type RunOptions } from './run.js'
import type { RunEvent } from './run-state.js'

const LEASE = 5_000
const BEAT = 1_000
const DURATION = 30_000
const key = makeKey('ops')

/** A run on two of four instances, or as given. */
function setting(given: Partial<Plan> = {}, options: Partial<RunOptions> = {}, lookMs = LOOK_MS) {
  const clock = manualClock(1_000_000)
  const fleet = instances(4)
  const engine = testEngine(clock, fleet, lookMs)
  const asked = plan(given)
  const events: RunEvent[] = []
  const start = (again: Partial<Plan> = {}) => {
    const run = startRun({
      transport: engine.transport,
      clock,
      plan: { ...asked, ...again },
      signed: signPlan({ ...asked, ...again }, key.privateKey, 'ops'),
      fleet,
      onEvent: (event) => void events.push(event),
      ...options,
    })
    return run
  }
  const started = async () => {
    const run = start()
    await clock.advance(3 * BEAT)
    expect(run.state.status).toBe('active')
    return run
  }
  const renewals = (): number => engine.calls.filter((name) => name.startsWith('renew')).length
  return { clock, engine, events, start, started, renewals }
}

it('affects all instances, and ends when each of them has ended it by itself', async () => {
  const { clock, engine, events, started } = setting()
  const run = await started()
  expect([...engine.affected]).toEqual(['i-0', 'i-1'])
  await clock.advance(DURATION)
  const state = await run.done
  expect(state).toMatchObject({ status: 'ended', end: 'max-duration', why: undefined })
  expect(state.instances.map(({ status, why }) => [status, why])).toEqual([
    ['reverted', 'max-duration'],
    ['reverted', 'max-duration'],
  ])
  expect(engine.affected.size).toBe(0)
  expect(engine.calls.at(-1)).toBe('acks')
  expect(engine.calls).toContain('close')
  expect(events.filter(({ type }) => type !== 'instance').map(({ type }) => type)).toEqual([
    'opened',
    'active',
    'ending',
    'ended',
  ])
  await clock.advance(10 * LEASE)
  // The looks of the agents are all that goes on.
  expect(clock.pending).toBe(1)
})

it('begins and ends as fast as its agents, whatever its lease', async () => {
  const { clock, engine, start } = setting({ leaseMs: 60_000 }, {}, 10)
  const run = start()
  await clock.advance(100)
  expect(run.state.status).toBe('active')
  const stopped = run.stop()
  await clock.advance(100)
  expect((await stopped).status).toBe('ended')
  expect(engine.affected.size).toBe(0)
})

it('looks at the answers of a run in force once per beat', async () => {
  const { clock, engine, started } = setting()
  await started()
  const before = engine.calls.filter((name) => name === 'acks').length
  await clock.advance(10 * BEAT)
  expect(engine.calls.filter((name) => name === 'acks').length - before).toBeLessThanOrEqual(11)
})

it('renews five times per lease, in the phase of the run', async () => {
  const { clock, engine, started, renewals } = setting()
  await started()
  const before = renewals()
  await clock.advance(2 * LEASE)
  expect(renewals() - before).toBe(10)
  const phases = engine.calls.filter((name) => name.startsWith('renew'))
  expect(phases.lastIndexOf('renew prepare')).toBeLessThan(phases.indexOf('renew active'))
})

it('affects nobody while one instance has not answered, and refuses the run after a while', async () => {
  const { clock, engine, start } = setting()
  engine.behave('i-1', { isSilent: true })
  const run = start()
  await clock.advance(14_000)
  expect(run.state.status).toBe('preparing')
  expect(engine.calls).not.toContain('renew active')
  await clock.advance(3_000)
  await expect(run.started).rejects.toEqual(
    refusal(
      'CHAOS_FLEET_RUN_REFUSED',
      'Only 1 of 2 instances were ready within 15000 ms, and 2 must be. i-1: no answer',
    ),
  )
  expect(await run.done).toMatchObject({ status: 'ended', end: 'refused' })
  expect(engine.applied).toBe(0)
  expect(engine.calls).not.toContain('renew active')
})

it('affects nobody if one instance refuses the plan', async () => {
  const { clock, engine, start } = setting()
  engine.behave('i-0', { refuses: 'The guard of the process says no.' })
  const run = start()
  await clock.advance(2 * BEAT)
  await expect(run.started).rejects.toEqual(
    refusal(
      'CHAOS_FLEET_RUN_REFUSED',
      '1 of 2 instances refused the plan. i-0: refused (The guard of the process says no.)',
    ),
  )
  await clock.advance(2 * LEASE)
  expect(engine.applied).toBe(0)
  expect(engine.calls.filter((name) => name === 'close')).toHaveLength(1)
})

it('begins with the quorum when the others have refused', async () => {
  const { clock, engine, start } = setting({ quorum: 1 })
  engine.behave('i-0', { refuses: 'no' })
  const run = start()
  await clock.advance(3 * BEAT)
  expect((await run.started).instances.map(({ status }) => status)).toEqual(['refused', 'applied'])
  expect([...engine.affected]).toEqual(['i-1'])
})

it('takes the fault back where too few could put it in force', async () => {
  const { clock, engine, start } = setting()
  engine.behave('i-1', { fails: 'sealed' })
  const run = start()
  await clock.advance(5 * BEAT)
  await expect(run.started).rejects.toEqual(
    refusal(
      'CHAOS_FLEET_RUN_REFUSED',
      'Only 1 of 2 instances put the fault in force, and 2 must. i-1: refused (sealed)',
    ),
  )
  expect(engine.affected.size).toBe(0)
  expect((await run.done).instances.map(({ why }) => why)).toEqual(['run-gone', 'sealed'])
})

it('waits for the word of each instance when it is stopped', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  const stopped = run.stop()
  await clock.advance(2 * BEAT)
  expect(await stopped).toMatchObject({ status: 'ended', end: 'stopped' })
  expect(engine.affected.size).toBe(0)
  expect((await stopped).endedAt).toBeLessThanOrEqual(clock.now())
  const before = engine.calls.length
  await run.stop()
  expect(engine.calls).toHaveLength(before)
})

it('waits for a lease where an instance gives no word any more', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.kill('i-0')
  const at = clock.now()
  const stopped = run.stop()
  await clock.advance(LEASE - LOOK_MS)
  expect(run.state.status).toBe('ending')
  await clock.advance(2 * BEAT)
  const { endedAt = 0 } = await stopped
  expect(endedAt - at).toBeGreaterThanOrEqual(LEASE)
  expect(endedAt - at).toBeLessThanOrEqual(LEASE + BEAT)
})

it('ends in time though an instance was killed while the fault was in force', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.kill('i-0')
  await clock.advance(DURATION + 3 * BEAT)
  expect(await run.done).toMatchObject({ end: 'max-duration' })
  expect((await run.done).instances.map(({ status }) => status)).toEqual(['applied', 'reverted'])
})

it('keeps the first reason of its end', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.kill('i-0')
  await engine.transport.halt('smoke', 'bob')
  await clock.advance(BEAT)
  expect(run.state.status).toBe('ending')
  void run.stop()
  await clock.advance(2 * LEASE)
  expect((await run.done).end).toBe('halted')
})

it('never opens a run again that the engine has lost', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.forget()
  await clock.advance(2 * BEAT)
  expect(run.state).toMatchObject({ end: 'lost', why: 'the engine does not hold the run any more' })
  expect(engine.affected.size).toBe(0)
  const applied = engine.applied
  await clock.advance(10 * LEASE)
  expect(await run.done).toMatchObject({ status: 'ended', end: 'lost' })
  expect(engine.calls.filter((name) => name === 'open')).toHaveLength(1)
  expect(engine.applied).toBe(applied)
})

it('ends at once when somebody calls a halt', async () => {
  const { clock, engine, started, renewals } = setting()
  const run = await started()
  await engine.transport.halt('smoke', 'bob')
  await clock.advance(BEAT)
  expect(run.state.end).toBe('halted')
  const before = renewals()
  await clock.advance(2 * LEASE)
  expect(renewals()).toBe(before)
  expect((await run.done).instances.map(({ why }) => why)).toEqual(['halted', 'halted'])
  expect((await run.done).why).toBe('somebody called a halt: smoke')
})

it.each(['hangs', 'fails'] as const)(
  'gives a run up a lease after the last renewal that was sent, if the engine %s',
  async (mode) => {
    const { clock, engine, started } = setting()
    const run = await started()
    await clock.advance(LOOK_MS)
    // The last renewal was sent at a whole beat.
    const lastSentAt = clock.now() - (clock.now() % BEAT)
    engine.mode = mode
    await clock.advance(lastSentAt + LEASE - 1 - clock.now())
    expect(run.state.end).toBeUndefined()
    await clock.advance(1)
    expect(run.state).toMatchObject({ end: 'lost', why: 'the engine did not answer for the lease of 5000 ms' })
    await clock.advance(LEASE + BEAT)
    expect(run.state.status).toBe('ended')
    expect(engine.affected.size).toBe(0)
    engine.mode = 'works'
    await clock.advance(10 * LEASE)
    expect(engine.affected.size).toBe(0)
  },
)

it('survives an engine that is away for less than a lease', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.mode = 'fails'
  await clock.advance(3 * BEAT)
  engine.mode = 'works'
  await clock.advance(2 * LEASE)
  expect(run.state.status).toBe('active')
  expect(engine.affected.size).toBe(2)
})

it('ends at once when the window closes, and does not take it for a halt', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.isPermitted = false
  await clock.advance(BEAT)
  expect(run.state).toMatchObject({
    end: 'not-permitted',
    why: 'the window in which runs are permitted has closed',
  })
  await clock.advance(2 * LEASE)
  expect((await run.done).instances.map(({ why }) => why)).toEqual(['not-permitted', 'not-permitted'])
  expect(engine.affected.size).toBe(0)
})

it('aborts when the instances are replaced, as in a rollout', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.instances = [...engine.instances.slice(0, 2), instance('n-2'), instance('n-3')]
  await clock.advance(LEASE + BEAT)
  expect(run.state).toMatchObject({
    end: 'rollout',
    why: '2 of 2 instances were replaced during the run, as in a rollout: i-2, i-3',
  })
  await clock.advance(2 * BEAT)
  expect(engine.affected.size).toBe(0)
})

it('takes neither a restart of what it affects nor more instances for a rollout', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.instances = [instance('n-0'), instance('n-1'), ...engine.instances.slice(2), instance('n-4')]
  await clock.advance(3 * LEASE)
  expect(run.state.end).toBeUndefined()
})

it('aborts when fewer than the quorum are left', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  engine.revert('i-1', 'clock-jump')
  await clock.advance(2 * BEAT)
  expect(run.state).toMatchObject({
    end: 'too-few',
    why: 'the fault was cut short in 1 instances: i-1: reverted (clock-jump)',
  })
})

it('ends when an instant fault is done everywhere, with its evidence', async () => {
  const { clock, engine, events, start } = setting(
    { fault: 'worker/terminate', target: 'workers' },
    { isInstant: true },
  )
  for (const id of ['i-0', 'i-1']) engine.behave(id, { evidence: { exitCode: 1 } })
  const run = start()
  await clock.advance(5 * BEAT)
  const state = await run.done
  expect(state).toMatchObject({ status: 'ended', end: 'completed', instances: [{ evidence: [{ exitCode: 1 }] }, {}] })
  expect(state.landedAt).toBeDefined()
  expect(events.map(({ type }) => type)).toContain('landed')
})

it('ends when every instance has spent its limit', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  for (const id of ['i-0', 'i-1']) engine.revert(id, 'limit-spent')
  await clock.advance(2 * BEAT)
  expect((await run.done).end).toBe('limit-spent')
})

it('dates the landing at the first hit that it sees, never at the arming', async () => {
  const { clock, engine, started } = setting()
  const run = await started()
  await clock.advance(LEASE)
  expect(run.state.landedAt).toBeUndefined()
  const at = clock.now()
  engine.behave('i-0', { hitsPerLook: 3 })
  await clock.advance(2 * BEAT)
  expect(run.state.landedAt).toBeGreaterThan(at)
  expect(run.state.instances[0]?.hits).toBeGreaterThan(0)
})

it.each([
  ['the window is closed', { isPermitted: false }, 'not permitted'],
  ['there is a halt', { halt: 'smoke' }, 'called a halt'],
])('does not begin where %s', async (_what, state, why) => {
  const { clock, engine, start } = setting()
  Object.assign(engine, state)
  const run = start()
  await clock.advance(BEAT)
  await expect(run.started).rejects.toEqual(refusal('CHAOS_FLEET_RUN_REFUSED', why))
  expect(engine.calls).not.toContain('renew prepare')
})

it('does not begin where another run has an instance', async () => {
  const { clock, start, started } = setting()
  await started()
  const second = start({ runId: 'run-of-somebody-else-0', instances: ['i-1', 'i-2'] })
  await clock.advance(BEAT)
  await expect(second.started).rejects.toEqual(refusal('CHAOS_FLEET_RUN_REFUSED', 'Another run concerns i-1.'))
})

it('can be stopped before it has begun, with nobody affected', async () => {
  const { clock, engine, start } = setting()
  const run = start()
  const stopped = run.stop()
  await clock.advance(2 * BEAT)
  expect(await stopped).toMatchObject({ end: 'stopped', activeAt: undefined })
  await expect(run.started).rejects.toEqual(refusal('CHAOS_FLEET_RUN_REFUSED', 'stopped before'))
  await clock.advance(LEASE)
  expect(engine.applied).toBe(0)
})

it('says that a run was lost while it began', async () => {
  const { clock, engine, start } = setting()
  engine.behave('i-1', { isSilent: true })
  const run = start()
  await clock.advance(BEAT)
  engine.forget()
  await clock.advance(2 * LEASE)
  await expect(run.started).rejects.toEqual(refusal('CHAOS_FLEET_RUN_LOST', 'does not hold the run any more'))
})

it('reports an engine that does not answer at the start, and tries to close what may have been opened', async () => {
  const { clock, engine, start } = setting()
  engine.mode = 'fails'
  const run = start()
  await clock.advance(BEAT)
  await expect(run.started).rejects.toMatchObject({ code: 'CHAOS_FLEET_UNREACHABLE' })
  expect(engine.calls).toEqual(['open', 'close'])
})

it('believes no agent that brings itself back, and none that is not in the plan', async () => {
  const { clock, engine, started } = setting({ quorum: 1 })
  const run = await started()
  engine.revert('i-0', 'shutdown')
  await clock.advance(2 * BEAT)
  const acks = engine.transport.acks
  Object.assign(engine.transport, {
    acks: async (runId: string) =>
      new Map([...(await acks(runId)), ['i-0', { status: 'applied', hits: 9 }], ['eve', { status: 'applied' }]]),
  })
  await clock.advance(2 * BEAT)
  expect(run.state.instances).toHaveLength(2)
  expect(run.state.instances[0]).toMatchObject({ id: 'i-0', status: 'reverted', why: 'shutdown', hits: 9 })
})
