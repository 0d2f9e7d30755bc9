import type { JournalEntry } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { defineExperiment, runExperiment, type ExperimentInput, type ExperimentResult } from '@chaos/experiment'
import { expect, it } from 'vitest'
import { testEngine } from '../../test/engine.js'
import { instance, instances, refusal } from '../../test/fixtures.js'
import { makeKey } from '../plan/key-files.js'
import { parsePolicy } from '../policy/policy.js'
import { fleetController, type FleetControllerOptions } from './fleet-controller.js'
import { fleetJournal, verifyJournal } from './journal.js'

const key = makeKey('ops')
const BEAT = 1_000

/** A controller of ten instances of `journal`, and what it has told and written. */
function setting(given: Partial<FleetControllerOptions> = {}, { hits = 1 }: { readonly hits?: number } = {}) {
  const clock = manualClock(1_000_000)
  const fleet = [...instances(10), instance('p-0', { environment: 'production', targets: { secret: ['a/b'] } })]
  const engine = testEngine(clock, fleet)
  for (const { id } of fleet) engine.behave(id, { hitsPerLook: hits })
  const lines: string[] = []
  const controller = fleetController({
    transport: engine.transport,
    fleet: 'shop',
    environment: 'staging',
    key,
    by: 'ann',
    clock,
    journal: fleetJournal((line) => void lines.push(line), clock),
    ...given,
  })
  const entries: JournalEntry[] = []
  controller.follow((entry) => void entries.push(entry))
  /** Lets time pass until a promise has settled. */
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    const waiting = { isOver: false }
    const noted = promise.finally(() => (waiting.isOver = true))
    noted.catch(() => undefined)
    for (let beat = 0; beat < 300 && !waiting.isOver; beat += 1) await clock.advance(BEAT)
    return noted
  }
  return { clock, engine, controller, entries, lines, settled }
}

it('shows the targets and faults of all instances of its environment', async () => {
  const { controller } = setting()
  expect(await controller.targets()).toEqual([
    { name: 'db', faults: ['adapter/delay-calls', 'adapter/fail-calls'] },
    { name: 'workers', faults: ['worker/terminate'] },
  ])
  expect((await controller.faults()).map(({ name, kind }) => [name, kind])).toEqual([
    ['adapter/delay-calls', 'standing'],
    ['adapter/fail-calls', 'standing'],
    ['worker/terminate', 'instant'],
  ])
})

it('says whether runs are permitted, and tells its own time', async () => {
  const { clock, controller, engine } = setting({ seed: 's' })
  expect(await controller.info()).toEqual({
    environment: 'staging',
    refusal: undefined,
    seed: 's',
    maxLeaseMs: 86_400_000,
    now: clock.now(),
  })
  engine.halt = 'smoke'
  expect((await controller.info()).refusal).toContain('a halt: smoke')
  engine.halt = undefined
  engine.isPermitted = false
  expect((await controller.info()).refusal).toContain('not permitted')
})

it('injects a run, follows it, and remembers what each instance did', async () => {
  const { controller, engine, entries, lines, settled } = setting()
  const state = await settled(
    controller.inject('db[service=journal,share=0.3]', 'delay-calls', { delayMs: 5 }, { leaseMs: 10_000, id: 'x:1' }),
  )
  expect(state).toMatchObject({
    id: 'x:1',
    fault: 'adapter/delay-calls',
    target: 'db[service=journal,share=0.3]',
    kind: 'standing',
    status: 'active',
    outcome: undefined,
    leaseMs: 10_000,
    account: { instances: 3, applied: 3 },
  })
  expect(engine.affected.size).toBe(3)
  expect(engine.applied).toBe(3)
  const ending = new Promise<void>((resolve) => {
    controller.follow(({ type }) => {
      if (type === 'ended') resolve()
    })
  })
  await settled(ending)
  const [ended] = await controller.injections()
  expect(ended).toMatchObject({ status: 'ended', outcome: 'lease-expired', armedAt: state.armedAt, failures: [] })
  expect(ended?.affected).toBeGreaterThan(0)
  expect(controller.runs()[0]?.instances.map(({ status, why }) => [status, why])).toEqual(
    Array.from({ length: 3 }, () => ['reverted', 'max-duration']),
  )

  const types = entries.map(({ type }) => type)
  expect(types.filter((type) => type === 'armed' || type === 'landed' || type === 'ended')).toEqual([
    'armed',
    'landed',
    'ended',
  ])
  const hits = entries.flatMap((entry) => (entry.type === 'hit' ? [entry] : []))
  expect(new Set(hits.map(({ operation }) => operation))).toEqual(new Set(controller.runs()[0]?.plan.instances))
  expect(Math.max(...hits.map(({ call }) => call)) * 3).toBeGreaterThanOrEqual(ended?.affected ?? Number.NaN)

  const verdict = verifyJournal(lines.join(''))
  expect(verdict).toMatchObject({ isWhole: true })
  expect(lines.map((line) => (JSON.parse(line) as { what: string }).what)).toEqual(
    expect.arrayContaining([
      'run-planned',
      'run-opened',
      'instance',
      'run-active',
      'run-landed',
      'run-ending',
      'run-ended',
    ]),
  )
  expect(engine.notes).toMatchObject([
    {
      what: 'run-ended',
      by: 'ann',
      details: { end: 'max-duration', reverted: '3', journal: 'head' in verdict ? verdict.head : '' },
    },
  ])
})

it('checks a run without touching anything, and by the rules of the run itself', async () => {
  const caps = { maxShare: 0.5 }
  const policy = parsePolicy({
    version: 1,
    rules: [{ name: 'drills', keys: 'ops', environments: 'staging', services: '*', faults: 'adapter/delay-*' }],
  })
  const { controller, engine } = setting({ caps, policy })
  const check = (target: string, fault = 'delay-calls'): Promise<void> => controller.check(target, fault)
  await expect(check('db[service=journal,share=0.5]')).resolves.toBeUndefined()
  await expect(check('db')).rejects.toEqual(refusal('CHAOS_FLEET_RUN_REFUSED', 'cap `maxShare`'))
  await expect(check('db[cap=1]', 'fail-calls')).rejects.toEqual(
    refusal('CHAOS_FLEET_RUN_REFUSED', 'does not allow the fault "adapter/fail-calls"'),
  )
  await expect(check('secret')).rejects.toEqual(refusal('CHAOS_UNKNOWN_TARGET', 'secret'))
  await expect(controller.inject('db', 'delay-calls')).rejects.toEqual(
    refusal('CHAOS_FLEET_RUN_REFUSED', 'cap `maxShare`'),
  )
  expect(new Set(engine.calls)).toEqual(new Set(['list']))
})

it('plans the same instances that a run then affects', async () => {
  const { controller, engine, settled } = setting()
  const target = 'db[service=journal,share=0.4,seed=t]'
  const { plan } = await controller.plan(target, 'delay-calls')
  await settled(controller.inject(target, 'delay-calls'))
  expect(engine.affected).toEqual(new Set(plan.instances))
})

it('refuses a second run under the same id, and names others in turn', async () => {
  const { controller, settled } = setting()
  const first = await settled(controller.inject('db[zone=eu-1,cap=1]', 'delay-calls'))
  expect(first.id).toBe('adapter/delay-calls@db#1')
  await expect(controller.inject('db', 'delay-calls', {}, { id: first.id })).rejects.toEqual(
    refusal('CHAOS_INVALID_OPTION', 'is in use'),
  )
})

it('holds a run by this process alone', async () => {
  const { controller } = setting()
  await expect(controller.check('db', 'delay-calls', {}, { hold: 'connection' })).resolves.toBeUndefined()
  await expect(controller.check('db', 'delay-calls', {}, { hold: 'lease' })).rejects.toEqual(
    refusal('CHAOS_INVALID_OPTION', '`hold` cannot be `lease`'),
  )
})

it('stops a run, and tells again how it ended', async () => {
  const { controller, engine, settled } = setting()
  const { id } = await settled(controller.inject('db', 'delay-calls'))
  await expect(controller.renew(id, 1_000)).rejects.toMatchObject({ code: 'CHAOS_FLEET_RUN_REFUSED' })
  expect(await settled(controller.stop(id))).toMatchObject({ status: 'ended', outcome: 'stopped' })
  await expect(controller.renew(id, 1_000)).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
  await expect(controller.renew('nothing', 1_000)).rejects.toMatchObject({ code: 'CHAOS_UNKNOWN_INJECTION' })
  expect(engine.affected.size).toBe(0)
  expect(await controller.stop(id)).toMatchObject({ outcome: 'stopped' })
  await expect(controller.stop('nothing')).rejects.toMatchObject({ code: 'CHAOS_UNKNOWN_INJECTION' })
})

it('calls a halt to stop all, where its credential may', async () => {
  const { controller, engine, settled } = setting()
  await settled(controller.inject('db', 'delay-calls'))
  const { stopped } = await settled(controller.stopAll())
  expect(stopped).toMatchObject([{ outcome: 'stopped' }])
  expect(engine.halt).toBe('stopped by ann')
  expect(engine.affected.size).toBe(0)
})

it('stops its own runs where its credential may not call a halt', async () => {
  const { controller, engine, settled } = setting()
  engine.mayHalt = false
  await settled(controller.inject('db', 'delay-calls'))
  expect((await settled(controller.stopAll())).stopped).toMatchObject([{ outcome: 'stopped' }])
  expect(engine.halt).toBeUndefined()
  expect(engine.affected.size).toBe(0)
})

it('says that a halt did not arrive', async () => {
  const { controller, engine, settled } = setting()
  await settled(controller.inject('db', 'delay-calls'))
  engine.mode = 'fails'
  await expect(settled(controller.stopAll())).rejects.toEqual(refusal('CHAOS_ROLLBACK_FAILED', 'did not arrive'))
  expect(engine.affected.size).toBe(0)
})

it('ends its runs when it is closed, and begins none afterwards', async () => {
  const { controller, engine, settled } = setting()
  await settled(controller.inject('db', 'delay-calls'))
  await settled(controller.close())
  await controller.closed
  expect(engine.affected.size).toBe(0)
  expect(engine.calls.at(-1)).toBe('disconnect')
  await expect(controller.inject('db', 'delay-calls')).rejects.toEqual(refusal('CHAOS_FLEET_RUN_REFUSED', 'closed'))
})

it('begins nothing that its journal cannot record, and ends what it cannot record any more', async () => {
  const clock = manualClock()
  let isFull = true
  const journal = fleetJournal(() => {
    if (isFull) throw new Error('no space left on device')
  }, clock)
  const { controller, clock: time, engine, entries, settled } = setting({ journal, quorum: 0.5 })
  await expect(controller.inject('db', 'delay-calls')).rejects.toThrow('no space left')
  expect(engine.calls).not.toContain('open')
  isFull = false
  await settled(controller.inject('db', 'delay-calls'))
  isFull = true
  engine.revert('i-0', 'shutdown')
  await time.advance(3 * BEAT)
  expect(await controller.injections()).toMatchObject([{ status: 'ended', outcome: 'stopped' }])
  expect(entries).toContainEqual(
    expect.objectContaining({ type: 'warning', message: expect.stringContaining('no space left') as string }),
  )
})

it('waits until an instant fault is done, and tells which instance did what', async () => {
  const { controller, engine, entries, settled } = setting()
  for (const { id } of engine.instances) engine.behave(id, { evidence: { exitCode: 1 } })
  const state = await settled(controller.inject('workers', 'terminate'))
  expect(state).toMatchObject({ kind: 'instant', status: 'ended', outcome: 'completed' })
  expect(state.landedAt).toBeDefined()
  expect(entries.map(({ type }) => type).filter((type) => type !== 'hit')).toEqual(['armed', 'landed', 'ended'])
  expect(state.evidence).toHaveLength(10)
  expect(state.evidence).toContainEqual({ exitCode: 1, instance: 'i-3' })
})

it.each([
  [{ fleet: '' }, '`fleet`'],
  [{ leaseMs: 500 }, '`leaseMs`'],
  [{ quorum: 0 }, '`quorum`'],
  [{ quorum: 1.1 }, '`quorum`'],
  [{ caps: { maxShare: 2 } }, 'caps.maxShare'],
  [{ lease: 5_000 }, 'Unknown option "lease"'],
])('refuses the options %j', (given, why) => {
  expect(() => setting(given as Partial<FleetControllerOptions>)).toThrow(refusal('CHAOS_INVALID_OPTION', why))
})

/** Runs an experiment on a fleet whose stock is short while any instance is affected. */
async function experimented(
  { controller, clock, engine }: Pick<ReturnType<typeof setting>, 'controller' | 'clock' | 'engine'>,
  more: Partial<ExperimentInput> = {},
): Promise<ExperimentResult> {
  const experiment = defineExperiment({
    title: 'a third of the journal',
    steadyState: {
      holdForMs: 1_000,
      timeoutMs: 5_000,
      probes: [{ name: 'stock', type: 'function', read: () => 10 - engine.affected.size, tolerance: { above: 9 } }],
      mayBreach: ['stock'],
    },
    method: [
      {
        inject: {
          target: 'db[service=journal,share=0.33]',
          fault: 'delay-calls',
          options: { delayMs: 5 },
          leaseMs: 10_000,
        },
      },
    ],
    recovery: { withinMs: 10_000 },
    ...more,
  })
  let result: ExperimentResult | undefined
  let failure: unknown
  void runExperiment(experiment, { controller, clock }).then(
    (value) => (result = value),
    (error: unknown) => (failure = error),
  )
  for (let second = 0; second < 200 && result === undefined && failure === undefined; second += 1)
    await clock.advance(BEAT)
  if (result === undefined) throw failure
  return result
}

it('runs an experiment of today, whose fault ends by its lease', async () => {
  const it = setting()
  const { verdict, evidence } = await experimented(it)
  expect(verdict.cause).toContain('The fault landed')
  expect(verdict).toMatchObject({ name: 'pass', recovery: 'by-itself' })
  expect(evidence.injections).toMatchObject([
    { id: 'a-third-of-the-journal:1', outcome: 'lease-expired', account: { instances: 3, reverted: 3 } },
  ])
  expect(it.engine.applied).toBe(3)
})

it('reports a fault that hit nothing in any instance', async () => {
  const { verdict } = await experimented(setting({}, { hits: 0 }))
  expect(verdict.name).toBe('fault-did-not-land')
})

it('reports a run that no instance let begin', async () => {
  const it = setting()
  for (const { id } of it.engine.instances) it.engine.behave(id, { refuses: 'The guard says no.' })
  const { verdict } = await experimented(it)
  expect(verdict).toMatchObject({ name: 'fault-did-not-land' })
  expect(verdict.cause).toContain('The guard says no.')
  expect(it.engine.applied).toBe(0)
})

it.each([
  ['a run that was lost', (engine: ReturnType<typeof testEngine>) => engine.forget(), 'does not hold the run'],
  ['a halt', (engine: ReturnType<typeof testEngine>) => void engine.transport.halt('smoke', 'bob'), 'called a halt'],
])('proves nothing after %s', async (_what, disturb, why) => {
  const it = setting()
  it.clock.after(9_000, () => disturb(it.engine))
  const { verdict } = await experimented(it)
  expect(verdict).toMatchObject({ name: 'inconclusive' })
  expect(verdict.cause).toContain(why)
})

it('refuses an experiment whose target selects nothing, before anything is touched', async () => {
  const it = setting()
  await expect(
    experimented(it, { method: [{ inject: { target: 'db[service=jurnal]', fault: 'delay-calls' } }] }),
  ).rejects.toMatchObject({ code: 'CHAOS_EXPERIMENT_REFUSED' })
  expect(it.engine.calls).not.toContain('open')
})
