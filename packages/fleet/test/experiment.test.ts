import {
  defineExperiment,
  runExperiment,
  toHtml,
  toJournal,
  toJUnit,
  toText,
  type ExperimentInput,
  type ExperimentResult,
} from '@chaos/experiment'
import { expect, it } from 'vitest'
import { fleetOf, type Fleet } from './processes.js'

type RunOptions = Parameters<typeof runExperiment>[1]

const TWENTY_SECONDS = { inject: { target: 'it[share=0.3]', fault: 'silence', leaseMs: 20_000 } }
const same = (count: number) => Array.from({ length: count }, () => ({}))

/** Runs an experiment on a fleet in which nobody is silent while nothing is broken. */
async function experimented(
  { clock, controller, silent, settled }: Fleet,
  more: Partial<ExperimentInput> = {},
  options: Partial<RunOptions> = {},
): Promise<ExperimentResult & { readonly silentAfter: number; readonly told: readonly string[] }> {
  const experiment = defineExperiment({
    title: 'silence',
    steadyState: {
      holdForMs: 1_000,
      timeoutMs: 5_000,
      probes: [{ name: 'silent', type: 'function', read: silent, tolerance: { below: 1 } }],
      mayBreach: ['silent'],
    },
    method: [TWENTY_SECONDS],
    recovery: { withinMs: 10_000 },
    ...more,
  })
  // Counted at the very moment at which the report can be printed.
  return settled(
    runExperiment(experiment, { controller, clock, ...options }).then((result) => ({
      ...result,
      silentAfter: silent(),
      told: toText(result).split('\n'),
    })),
  )
}

/** What the result tells of each instance: its status, and why. */
const endsOf = ({ evidence }: ExperimentResult) =>
  (evidence.injections[0]?.instances?.list ?? []).map(({ status, why }) => [status, why])
const namesOf = ({ evidence }: ExperimentResult, status: string) =>
  (evidence.injections[0]?.instances?.list ?? []).flatMap((one) => (one.status === status ? [one.id] : []))

it('tells what each instance did, in every report', async () => {
  const fleet = await fleetOf([...same(9), { labels: { 'a\u001b[2J': '<b>' } }])
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it', fault: 'silence', leaseMs: 20_000 } }],
  })
  expect(result.verdict.name).toBe('pass')
  expect(endsOf(result)).toEqual(same(10).map(() => ['reverted', 'max-duration']))
  const { list = [], counts } = result.evidence.injections[0]?.instances ?? {}
  expect(counts).toEqual({ reverted: 10 })
  expect(new Set(list.map(({ id }) => id))).toEqual(new Set(fleet.processes.map(({ id }) => id)))
  for (const { service, hits, appliedAt = 0, endedAt = 0 } of list) {
    expect(service).toBe('shop')
    expect(hits).toBeGreaterThan(50)
    expect(endedAt - appliedAt).toBeGreaterThan(15_000)
  }
  const place = result.told.indexOf('  instances        10: 10 reverted')
  expect(result.told[place + 1]).toContain(`${list[0]?.id ?? ''} (shop): ${list[0]?.hits ?? 0} hits, max-duration`)
  for (const report of [toHtml([result]), toJUnit([result]), toJournal([result])]) {
    for (const { id } of list) expect(report).toContain(id)
    expect(report).not.toContain('\u001b')
  }
  expect(toHtml([result])).toContain('a\\u001b[2J=&#60;b&#62;')
})

it('dates the landing at the first effect, however late an agent tells of it', async () => {
  const fleet = await fleetOf(same(4), { leaseMs: 20_000 })
  let effectAt: number | undefined
  const unfollow = fleet.controller.follow((entry) => {
    if (entry.type !== 'armed') return
    // In the middle between two looks, which are 4 s apart.
    fleet.clock.after(5_300, () => {
      if (fleet.silent() > 0) effectAt = fleet.clock.now()
    })
  })
  const { verdict } = await experimented(fleet, {
    steadyState: {
      holdForMs: 1_000,
      probes: [
        {
          name: 'silent',
          type: 'function',
          read: () => (effectAt === undefined || fleet.clock.now() > effectAt + 30_000 ? 0 : fleet.silent()),
          tolerance: { below: 1 },
        },
      ],
      mayBreach: ['silent'],
    },
  })
  unfollow()
  const { t0 } = verdict.marks
  expect(effectAt).toBeDefined()
  expect((t0?.at ?? 0) - (effectAt ?? 0)).toBeGreaterThanOrEqual(0)
  expect((t0?.at ?? 0) - (effectAt ?? 0)).toBeLessThanOrEqual(100)
})

it.each([
  ['leaves its bounds', () => Promise.resolve(0), 'was 0'],
  ['cannot be read', () => Promise.reject(new Error('refused')), 'was without data (refused)'],
  ['does not answer', () => new Promise<number>(() => undefined), 'was without data (no answer within 2000 ms)'],
])(
  'stops the run when a guardrail %s, and prints the report when every instance is whole',
  async (_what, read, why) => {
    const fleet = await fleetOf(same(10))
    const from = fleet.clock.now() + 8_000
    const result = await experimented(fleet, {
      guardrails: [
        {
          name: 'checkout',
          type: 'function',
          read: () => (fleet.clock.now() < from ? 1 : read()),
          tolerance: { above: 0 },
        },
      ],
    })
    expect(result.verdict.name).toBe('guardrail-tripped')
    expect(result.told.at(-1)).toBe(
      `guardrail-tripped: The guardrail checkout ${why}, expected > 0: the run was ended.`,
    )
    expect(result.silentAfter).toBe(0)
    expect(endsOf(result)).toEqual(same(3).map(() => ['reverted', 'run-gone']))
  },
)

it('waits for the lease of an instance that does not answer before the report of a stopped run', async () => {
  const fleet = await fleetOf(same(10), { leaseMs: 30_000 })
  const from = fleet.clock.now() + 8_000
  let diedAt = 0
  fleet.clock.after(7_000, () => {
    const victim = fleet.processes.find(({ member }) => member.state === 'applied')
    victim?.die()
    diedAt = fleet.clock.now()
  })
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it[share=0.3]', fault: 'silence', leaseMs: 120_000 } }],
    guardrails: [
      { name: 'checkout', type: 'function', read: () => (fleet.clock.now() < from ? 1 : 0), tolerance: { above: 0 } },
    ],
  })
  expect(result.verdict.name).toBe('guardrail-tripped')
  expect(result.evidence.endedAt - diedAt).toBeGreaterThanOrEqual(30_000)
  expect(result.evidence.rollbackFailures).toEqual([])
  expect(
    endsOf(result)
      .map(([status]) => status)
      .sort(),
  ).toEqual(['gone', 'reverted', 'reverted'])
})

it('waits for that lease also where the run is aborted while the fault is being put in force', async () => {
  const fleet = await fleetOf(same(4), { leaseMs: 30_000 })
  const abort = new AbortController()
  let diedAt = 0
  fleet.controller.follow((entry) => {
    if (entry.type !== 'armed') return
    // All are ready by now, and none has been told to begin.
    fleet.clock.after(5, () => {
      fleet.processes.find(({ member }) => member.state === 'ready')?.die()
      diedAt = fleet.clock.now()
    })
    fleet.clock.after(3_000, () => abort.abort())
  })
  const result = await experimented(
    fleet,
    { method: [{ inject: { target: 'it', fault: 'silence', leaseMs: 120_000 } }] },
    { signal: abort.signal },
  )
  expect(result.verdict).toMatchObject({ name: 'inconclusive' })
  expect(result.evidence.rollbackFailures).toEqual([])
  expect(result.evidence.endedAt - diedAt).toBeGreaterThanOrEqual(30_000)
  expect(result.silentAfter).toBe(0)
  expect(result.evidence.injections[0]?.instances?.counts).toEqual({ reverted: 3, gone: 1 })
})

it.each([
  [
    'fires',
    () => Promise.resolve([{ name: 'Burning', labels: {}, state: 'firing' as const }]),
    'Burning, which must not fire, fired',
  ],
  ['cannot be read', () => Promise.reject(new Error('refused')), 'alerts could not be read from pager (refused)'],
])('stops the run when an alert that must not fire %s', async (_what, read, why) => {
  const fleet = await fleetOf(same(10))
  const from = fleet.clock.now() + 8_000
  const result = await experimented(
    fleet,
    { alerts: { mustNotFire: ['Burning'] } },
    {
      alerts: {
        source: 'pager',
        read: () => (fleet.clock.now() < from ? Promise.resolve([]) : read()),
        health: () =>
          Promise.resolve({
            now: fleet.clock.now(),
            nowErrorMs: 0,
            evaluatedAt: fleet.clock.now(),
            scrapedAt: fleet.clock.now(),
            problems: [],
          }),
      },
    },
  )
  expect(result.told.at(-1)).toMatch(/^guardrail-tripped: /)
  expect(result.told.at(-1)).toContain(why)
  expect(result.silentAfter).toBe(0)
  expect(endsOf(result)).toEqual(same(3).map(() => ['reverted', 'run-gone']))
})

it('proves nothing when many instances are replaced during the run, and tells which went away', async () => {
  const fleet = await fleetOf(same(10))
  const gone: string[] = []
  fleet.clock.after(8_000, () => {
    const isAffected = (one: Fleet['processes'][number]): boolean => one.member.state === 'applied'
    const affected = fleet.processes.filter(isAffected).slice(0, 1)
    for (const one of [...affected, ...fleet.processes.filter((other) => !isAffected(other)).slice(0, 3)]) {
      gone.push(one.id)
      one.die()
      fleet.start()
    }
  })
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it[share=0.3]', fault: 'silence', leaseMs: 120_000 } }],
  })
  expect(result.verdict.name).toBe('inconclusive')
  const last = result.told.at(-1) ?? ''
  const [affected = '', ...others] = gone
  // Records expire one by one: two are enough.
  const [, count, named = ''] =
    /: ([23]) of 7 instances were replaced during the run, as in a rollout: (.*)\.$/.exec(last) ?? []
  expect(named.split(', ')).toHaveLength(Number(count))
  expect(others).toEqual(expect.arrayContaining(named.split(', ')))
  expect(namesOf(result, 'gone')).toEqual([affected])
  expect(result.told.join('\n')).toMatch(new RegExp(`gone +${affected} \\(shop\\): \\d+ hits, it left the fleet`))
  expect(namesOf(result, 'reverted')).toHaveLength(2)
  expect(result.silentAfter).toBe(0)
  expect(fleet.processes.map(({ member }) => member.state)).toEqual(same(10).map(() => 'idle'))
})

it.each<[string, (fleet: Fleet) => void, string, string]>([
  [
    'somebody else calls a halt',
    ({ engine }) => void engine.controller().halt('checkout is down', 'bob'),
    'somebody called a halt: checkout is down',
    'halted',
  ],
  [
    'the window is closed',
    ({ operator }) => void operator.permit(0, 'operator', 'enough'),
    'the window in which runs are permitted has closed',
    'not-permitted',
  ],
  [
    'the window ends by itself',
    ({ operator }) => void operator.permit(1_500, 'operator', 'a bit longer'),
    'the window in which runs are permitted has closed',
    'not-permitted',
  ],
  [
    'the engine loses all data',
    ({ engine }) => engine.wipe(),
    'the engine does not hold the run any more',
    'not-permitted',
  ],
])('proves nothing when %s during the run, and says so', async (_what, disturb, cause, why) => {
  const fleet = await fleetOf(same(10))
  fleet.clock.after(8_000, () => disturb(fleet))
  const result = await experimented(fleet)
  expect(result.verdict.name).toBe('inconclusive')
  expect(result.told.at(-1)).toBe(`inconclusive: The run was aborted: test/silence was cut short: ${cause}.`)
  expect(endsOf(result)).toEqual(same(3).map(() => ['reverted', why]))
  expect(result.silentAfter).toBe(0)
})

it('affects nobody when one instance refuses, and names it with its reason', async () => {
  const fleet = await fleetOf([...same(4), { caps: { maxInstances: 1 } }])
  const refuser = fleet.processes.at(-1)?.id ?? ''
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it', fault: 'silence', leaseMs: 20_000 } }],
  })
  expect(result.verdict.name).toBe('fault-did-not-land')
  expect(result.told.at(-1)).toMatch(
    new RegExp(`1 of 5 instances refused the plan\\. ${refuser}: refused \\(.*maxInstances`),
  )
  const { instances, outcome } = result.evidence.injections[0] ?? {}
  expect(outcome).toBe('failed')
  expect(instances?.list.filter(({ status }) => status === 'refused')).toMatchObject([
    { id: refuser, hits: 0, why: expect.stringContaining('maxInstances') as string },
  ])
  expect(instances?.list.every(({ hits, appliedAt }) => hits === 0 && appliedAt === undefined)).toBe(true)
  expect(result.told.join('\n')).toContain(`refused     ${refuser} (shop): 0 hits, `)
})

it('goes on with a quorum where one instance refuses, and shows the refusal', async () => {
  const fleet = await fleetOf([...same(4), { caps: { maxInstances: 1 } }], { quorum: 0.8 })
  const refuser = fleet.processes.at(-1)?.id ?? ''
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it', fault: 'silence', leaseMs: 20_000 } }],
  })
  expect(result.verdict.name).toBe('pass')
  expect(result.evidence.injections[0]?.instances?.counts).toEqual({ reverted: 4, refused: 1 })
  expect(namesOf(result, 'refused')).toEqual([refuser])
})

it('ends in time though an instance dies during the run, and shows that it is gone', async () => {
  const fleet = await fleetOf(same(10))
  let victim = ''
  fleet.clock.after(8_000, () => {
    const one = fleet.processes.find(({ member }) => member.state === 'applied')
    victim = one?.id ?? ''
    one?.die()
  })
  const result = await experimented(fleet, {
    method: [{ inject: { target: 'it[share=0.3]', fault: 'silence', leaseMs: 30_000 } }],
  })
  expect(result.verdict.name).toBe('pass')
  expect(namesOf(result, 'gone')).toEqual([victim])
  expect(namesOf(result, 'reverted')).toHaveLength(2)
  expect(result.silentAfter).toBe(0)
})
