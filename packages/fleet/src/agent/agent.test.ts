import { manualClock, type ManualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { testPlan, unsigned } from '../testing/plans.js'
import { memoryEngine, type MemoryEngine } from '../transports/memory.js'
import type { AgentTransport, ControllerTransport, OwnedRun } from '../transports/transport.js'
import { startAgent, type Agent, type Application } from './agent.js'
import type { Plan } from '../plan/plan.js'

const INSTANCE = 'host:1:nonce'
const plan = testPlan({ instances: [INSTANCE], leaseMs: 3_000, maxDurationMs: 60_000 })
const run: OwnedRun = { runId: plan.runId, owner: 'owner' }

interface Scene {
  readonly clock: ManualClock
  readonly engine: MemoryEngine
  readonly transport: AgentTransport
  readonly controller: ControllerTransport
  readonly agent: Agent
  readonly lines: string[]
  /** What the agent did with faults, with the time. */
  readonly done: string[]
  /** Sets the wall clock ahead. */
  readonly wall: { aheadMs: number }
  /** Ends the fault as somebody in the process would. */
  readonly stopLocally: () => void
}

async function scene(
  given: { seed?: string; check?: () => Plan; inForce?: () => Promise<void>; revert?: () => Promise<void> } = {},
): Promise<Scene> {
  const clock = manualClock(1_000_000)
  const engine = memoryEngine({ clock })
  const [transport, controller] = [engine.agent(), engine.controller()]
  const [lines, done, wall]: [string[], string[], { aheadMs: number }] = [[], [], { aheadMs: 0 }]
  let stopLocally = (): void => undefined
  const log = (what: string): void => void done.push(`${what} ${clock.now() - 1_000_000}`)
  const agent = startAgent({
    transport,
    clock,
    id: INSTANCE,
    instance: () =>
      Promise.resolve({ id: INSTANCE, service: 'shop', environment: 'test', labels: {}, targets: {}, sdk: '0.0.0' }),
    wallClock: () => clock.now() + wall.aheadMs,
    seed: given.seed ?? 'seed',
    idlePollMs: 5_000,
    log: (line) => lines.push(line),
    check: given.check ?? ((travelled) => JSON.parse(travelled.text) as Plan),
    apply(): Application {
      log('apply')
      return {
        inForce: given.inForce?.() ?? Promise.resolve(),
        extend: () => undefined,
        revert: () => {
          log('revert')
          return given.revert?.() ?? Promise.resolve()
        },
        account: () => ({ hits: 7, evidence: [{ kind: 'test' }] }),
        ended: new Promise((resolve) => (stopLocally = () => resolve('stopped'))),
      }
    },
  })
  await settled(controller.permit(3_600_000, 'operator', 'test'), clock)
  return { clock, engine, transport, controller, agent, lines, done, wall, stopLocally: () => stopLocally() }
}

/** Waits for a request. Time stands still. */
async function settled<T>(asked: Promise<T>, clock: ManualClock): Promise<T> {
  await clock.advance(0)
  return asked
}

async function active(it: Scene): Promise<void> {
  const { clock, controller } = it
  expect(await settled(controller.open(unsigned(plan), plan, 'owner'), clock)).toMatchObject({ isOpen: true })
  await clock.advance(50)
  expect([...(await settled(controller.acks(plan.runId), clock)).values()]).toEqual([{ status: 'ready' }])
  expect(await settled(controller.renew(run, plan.leaseMs, 'active'), clock)).toBe('renewed')
  await clock.advance(50)
}

/** Renews the lease every 600 ms, as a controller does. */
async function renewFor(it: Scene, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 600) {
    await settled(it.controller.renew(run, plan.leaseMs, 'active'), it.clock)
    await it.clock.advance(600)
  }
}

const ackOf = async ({ controller, clock }: Scene) => (await settled(controller.acks(plan.runId), clock)).get(INSTANCE)

describe('an agent', () => {
  it('keeps the fault in force while the controller renews, and reverts within a lease after it is gone', async () => {
    const it = await scene()
    await active(it)
    expect(await ackOf(it)).toEqual({ status: 'applied', hits: 7, evidence: [{ kind: 'test' }] })
    await renewFor(it, 12_000)
    const gone = it.clock.now() - 1_000_000
    expect(it.done).toHaveLength(1)
    await it.clock.advance(3_000)
    expect(it.done).toHaveLength(2)
    const [, revertedAt = NaN] = (it.done[1] as string).split(' ').map(Number)
    expect(revertedAt).toBeLessThanOrEqual(gone + plan.leaseMs)
    expect(await ackOf(it)).toMatchObject({ status: 'reverted', hits: 7 })
  })

  it('repeats an answer that has not changed about once a lease, and one that did not arrive with each read', async () => {
    const it = await scene()
    await active(it)
    const [read, ack] = [vi.spyOn(it.transport, 'read'), vi.spyOn(it.transport, 'ack')]
    await renewFor(it, 12_000)
    expect(read.mock.calls.length).toBeGreaterThan(15)
    expect(ack.mock.calls.length).toBe(Math.floor(read.mock.calls.length / 5))
    ack.mockImplementation(() => Promise.reject(new Error('lost')))
    await renewFor(it, 3_600)
    const [reads, acks] = [read.mock.calls.length, ack.mock.calls.length]
    await renewFor(it, 6_000)
    expect(ack.mock.calls.length - acks).toBe(read.mock.calls.length - reads)
    ack.mockRestore()
    await renewFor(it, 600)
    expect(await ackOf(it)).toMatchObject({ status: 'applied', hits: 7 })
  })

  it('reverts as soon as it is woken by the end of the run or by a halt', async () => {
    const it = await scene()
    await active(it)
    await settled(it.controller.halt('enough', 'anyone'), it.clock)
    await it.clock.advance(50)
    expect(it.done.map((line) => line.split(' ')[0])).toEqual(['apply', 'revert'])
    expect(await ackOf(it)).toMatchObject({ status: 'reverted', why: 'halted' })
    expect(it.lines).toEqual([
      `The fault test/silence is in force on "it" (run ${plan.runId}, by test: a test).`,
      `The fault of the run ${plan.runId} has ended (halted) after 7 hits.`,
    ])
  })

  it.each<[string, (it: Scene) => void]>([
    ['the engine is suspended', ({ engine }) => engine.pause()],
    ['the network is cut', ({ engine, transport }) => void engine.partition(transport)],
    ['the connection is closed', ({ transport }) => void transport.close()],
    ['the data is lost', ({ engine }) => engine.wipe()],
    ['the clock of the engine goes back an hour', ({ engine }) => engine.stepClock(-3_600_000)],
  ])('reverts within a lease when %s, and never applies again', async (_what, breaks) => {
    const it = await scene()
    await active(it)
    const brokenAt = it.clock.now() - 1_000_000
    breaks(it)
    await it.clock.advance(3_600)
    expect(it.done.map((line) => line.split(' ')[0])).toEqual(['apply', 'revert'])
    const [, revertedAt = NaN] = (it.done[1] as string).split(' ').map(Number)
    expect(revertedAt).toBeLessThanOrEqual(brokenAt + plan.leaseMs)
    it.engine.resume()
    await it.clock.advance(20_000)
    expect(it.done).toHaveLength(2)
  })

  it('survives lost and slow reads within the lease', async () => {
    const it = await scene()
    await active(it)
    it.engine.loseReads(1)
    it.engine.latencyMs = 150
    for (let i = 0; i < 10; i += 1) {
      void it.controller.renew(run, plan.leaseMs, 'active')
      await it.clock.advance(600)
    }
    expect(it.done).toHaveLength(1)
  })

  it('logs an outage once, and when it is over', async () => {
    const it = await scene()
    it.engine.pause()
    await it.clock.advance(60_000)
    expect(it.lines).toEqual([expect.stringContaining('does not answer')])
    it.engine.resume()
    await it.clock.advance(10_000)
    expect(it.lines).toHaveLength(2)
    expect(it.lines[1]).toContain('answers again')
  })

  it('reverts when the machine was suspended, as the wall clock tells', async () => {
    const it = await scene()
    await active(it)
    it.wall.aheadMs = 5_000
    await it.clock.advance(250)
    expect(it.done.map((line) => line.split(' ')[0])).toEqual(['apply', 'revert'])
    expect(await ackOf(it)).toMatchObject({ why: 'clock-jump' })
  })

  it('reports a fault that was stopped in the process', async () => {
    const it = await scene()
    await active(it)
    it.stopLocally()
    await it.clock.advance(0)
    expect(await ackOf(it)).toMatchObject({ status: 'reverted', why: 'stopped' })
  })

  it('answers why it refuses, and why a fault could not be put in force', async () => {
    const refusing = await scene({
      check: () => {
        throw new Error('no such target')
      },
    })
    await settled(refusing.controller.open(unsigned(plan), plan, 'owner'), refusing.clock)
    await refusing.clock.advance(50)
    expect(await ackOf(refusing)).toEqual({ status: 'refused', why: 'no such target' })

    const sealed = await scene({ inForce: () => Promise.reject(new Error('the target is sealed')) })
    await active(sealed)
    expect(await ackOf(sealed)).toEqual({ status: 'refused', why: 'the target is sealed' })
    await renewFor(sealed, 3_000)
    expect(sealed.done).toHaveLength(1)
  })

  it('reverts a fault that is still being put in force', async () => {
    const it = await scene({ inForce: () => new Promise(() => undefined) })
    await active(it)
    await settled(it.controller.close(run, plan), it.clock)
    await it.clock.advance(50)
    expect(await ackOf(it)).toMatchObject({ status: 'reverted', why: 'run-gone' })
  })

  it('tells of a rollback that failed', async () => {
    const it = await scene({ revert: () => Promise.reject(new Error('an undo step failed')) })
    await active(it)
    await settled(it.controller.close(run, plan), it.clock)
    await it.clock.advance(50)
    expect(await ackOf(it)).toMatchObject({
      status: 'reverted',
      evidence: [{ kind: 'test' }, { rollbackFailed: 'an undo step failed' }],
    })
    expect(it.lines[1]).toContain('an undo step failed')
  })

  it('marks the fault ended before a shutdown returns, tells the engine, and reads no more', async () => {
    const it = await scene()
    await active(it)
    const down = it.agent.shutdown()
    expect(it.done.map((line) => line.split(' ')[0])).toEqual(['apply', 'revert'])
    await settled(down, it.clock)
    expect(await ackOf(it)).toMatchObject({ status: 'reverted', why: 'shutdown' })
    const read = vi.spyOn(it.transport, 'read')
    await it.clock.advance(60_000)
    expect(read).not.toHaveBeenCalled()
    expect(it.clock.pending).toBe(0)
  })

  it('has shut down even if the engine does not answer', async () => {
    const it = await scene()
    await active(it)
    it.engine.pause()
    const done = vi.fn()
    void it.agent.shutdown().then(done)
    await it.clock.advance(5_000)
    expect(done).toHaveBeenCalled()
  })

  it('reads again when it is woken during a read', async () => {
    const it = await scene()
    const { read } = it.transport
    vi.spyOn(it.transport, 'read').mockImplementation(async (instance) => {
      const answer = await read(instance)
      await new Promise<void>((resolve) => it.clock.after(300, resolve))
      return answer
    })
    await settled(it.controller.permit(3_600_000, 'operator', 'wakes the agent'), it.clock)
    await it.clock.advance(100)
    // The read under way was served before: its answer does not show the run.
    await settled(it.controller.open(unsigned(plan), plan, 'owner'), it.clock)
    await it.clock.advance(700)
    expect(await ackOf(it)).toEqual({ status: 'ready' })
  })

  it('follows the calls of one run after another at once', async () => {
    const it = await scene()
    const read = vi.spyOn(it.transport, 'read')
    for (let call = 1; call <= 20; call += 1) {
      await settled(it.controller.permit(3_600_000, 'operator', 'again'), it.clock)
      await it.clock.advance(25)
      expect(read).toHaveBeenCalledTimes(call)
    }
  })

  it('reads once a second while somebody calls without end', async () => {
    const it = await scene()
    const flood = async (): Promise<void> => {
      for (let call = 0; call < 1_000; call += 1) {
        await settled(it.controller.permit(3_600_000, 'operator', 'again'), it.clock)
        await it.clock.advance(10)
      }
    }
    await flood()
    const read = vi.spyOn(it.transport, 'read')
    await flood()
    expect(read.mock.calls.length).toBeGreaterThanOrEqual(10)
    expect(read.mock.calls.length).toBeLessThanOrEqual(13)
  })

  it('is woken at once again when a flood of calls is over, though a poll came just before', async () => {
    const it = await scene()
    for (let call = 0; call < 200; call += 1) {
      await settled(it.controller.permit(3_600_000, 'operator', 'again'), it.clock)
      await it.clock.advance(10)
    }
    const read = vi.spyOn(it.transport, 'read')
    while (read.mock.calls.length < 2) await it.clock.advance(50)
    read.mockClear()
    await it.clock.advance(50)
    await settled(it.controller.permit(3_600_000, 'operator', 'once'), it.clock)
    expect(read).toHaveBeenCalledOnce()
  })

  it.each(['a', 'b', 'c', 'd'])('reads as often as a short lease needs, with seed %s', async (seed) => {
    const short = testPlan({ instances: [INSTANCE], leaseMs: 1_000 })
    const it = await scene({ seed })
    await settled(it.controller.open(unsigned(short), short, 'owner'), it.clock)
    for (let i = 0; i < 20; i += 1) {
      await settled(it.controller.renew({ runId: short.runId, owner: 'owner' }, 1_000, 'prepare'), it.clock)
      await it.clock.advance(200)
    }
    expect((await settled(it.controller.acks(short.runId), it.clock)).get(INSTANCE)).toEqual({ status: 'ready' })
  })

  it('reads one at a time, however often it is woken, and only now and then while idle', async () => {
    const it = await scene()
    await it.clock.advance(100)
    let [open, most] = [0, 0]
    const { read } = it.transport
    const spy = vi.spyOn(it.transport, 'read').mockImplementation(async (instance) => {
      most = Math.max(most, (open += 1))
      try {
        return await read(instance)
      } finally {
        open -= 1
      }
    })
    it.engine.latencyMs = 30
    for (let i = 0; i < 100; i += 1) void it.controller.note('noise', 'test', {})
    for (let i = 0; i < 100; i += 1) void it.controller.permit(3_600_000, 'operator', 'again')
    await it.clock.advance(1_000)
    expect(most).toBe(1)
    expect(spy.mock.calls.length).toBeLessThan(30)
    spy.mockClear()
    await it.clock.advance(50_000)
    expect(spy.mock.calls.length).toBeGreaterThanOrEqual(9)
    expect(spy.mock.calls.length).toBeLessThanOrEqual(11)
  })
})
