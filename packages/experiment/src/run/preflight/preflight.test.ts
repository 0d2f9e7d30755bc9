import { ChaosError, createChaos, type ChaosController } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serve, shopExperiment, shopOn } from '../../../test/support.js'
import type { AlertRule } from '../../alerts/reader.js'
import type { ExperimentInput } from '../../model/experiment.js'
import { preflight, type PreflightFacts } from './preflight.js'

const rule: AlertRule = { name: 'StockLow', forMs: 2_000, intervalMs: 1_000, rangeMs: 10_000, isHealthy: true }
const standing = (how: object = {}): Partial<ExperimentInput> => ({
  method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 15_000, ...how } }],
})
const instant: Partial<ExperimentInput> = { method: [{ inject: { target: 'shop', fault: 'shop/sell-out' } }] }
const mustFire = { alerts: { mustFire: [{ name: 'StockLow', withinMs: 20_000 }] } }

async function checked(more: Partial<ExperimentInput>, facts: Partial<PreflightFacts> = {}): Promise<string> {
  const { shop, controller } = shopOn(manualClock())
  try {
    await preflight(shopExperiment(shop, more), {
      controller,
      rules: [rule],
      timing: { scrapeIntervalMs: 1_000 },
      needsNotification: false,
      hasAlerts: true,
      pollMs: 250,
      ...facts,
    })
    return 'fine'
  } catch (error) {
    expect(error).toMatchObject({ code: 'CHAOS_EXPERIMENT_REFUSED' })
    return (error as Error).message
  }
}

it('leaves the selector of a target to its controller', async () => {
  const { controller } = shopOn(manualClock())
  const check = vi.fn<ChaosController['check']>(() => Promise.resolve())
  const fleet = { ...controller, check }
  expect(await checked(standing({ target: 'shop[zone=eu-1]' }), { controller: fleet })).toBe('fine')
  expect(check.mock.calls[0]?.[0]).toBe('shop[zone=eu-1]')
})

describe('a standing fault', () => {
  it('must last for scrape, range, `for` and evaluation of its alert', async () => {
    expect(await checked({ ...standing({ leaseMs: 14_000 }), ...mustFire })).toBe('fine')
    expect(await checked({ ...standing({ leaseMs: 13_999 }), ...mustFire })).toBe(
      'StockLow may need 14000 ms to fire (scrape 1000 + range 10000 + for 2000 + evaluation 1000), and its condition cannot be expected to last longer than 13999 ms. Lengthen the lease.',
    )
  })

  it('must last for the group wait too, where a notification has to arrive', async () => {
    const timing = { scrapeIntervalMs: 1_000, groupWaitMs: 2_000 }
    expect(await checked({ ...standing(), ...mustFire }, { timing })).toBe('fine')
    expect(await checked({ ...standing(), ...mustFire }, { timing, needsNotification: true })).toContain(
      'may need 16000 ms',
    )
  })

  it('lasts as long as it is left in force', async () => {
    expect(await checked({ ...standing({ leaseMs: 60_000, forMs: 13_000 }), ...mustFire })).toContain('13000 ms')
    expect(await checked({ ...standing({ leaseMs: undefined }), ...mustFire })).toBe('fine')
  })

  it('lasts as long as its process allows where nothing is said', async () => {
    const { controller } = shopOn(manualClock())
    const strict = { ...controller, info: async () => ({ ...(await controller.info()), maxLeaseMs: 13_000 }) }
    expect(await checked({ ...standing({ leaseMs: undefined }), ...mustFire }, { controller: strict })).toContain(
      'longer than 13000 ms',
    )
  })

  it('must outlast what has to recover under it', async () => {
    const under = (withinMs: number): Partial<ExperimentInput> => ({
      ...standing(),
      recovery: { duringFault: { probes: ['stock'], withinMs } },
    })
    expect(await checked(under(14_999))).toBe('fine')
    expect(await checked(under(15_000))).toContain('stock must hold 15000 ms after the fault landed')
  })
})

describe('an instant fault', () => {
  it('is long enough for a rule whose range outlasts its `for`', async () => {
    expect(await checked({ ...instant, ...mustFire })).toBe('fine')
    expect(await checked({ ...instant, ...mustFire }, { rules: [{ ...rule, rangeMs: 3_000 }] })).toContain(
      'If it lasts longer, set `expectedOutageMs`.',
    )
  })

  it('stays long enough for such a rule when its effect is said to last as well', async () => {
    expect(await checked({ ...instant, ...mustFire, expectedOutageMs: 10_000 })).toBe('fine')
  })

  it('is long enough for any rule when it is said that its effect lasts', async () => {
    const rules = [{ ...rule, rangeMs: 0 }]
    expect(await checked({ ...instant, ...mustFire }, { rules })).toContain('may need 4000 ms to fire')
    expect(await checked({ ...instant, ...mustFire, expectedOutageMs: 4_000 }, { rules })).toBe('fine')
  })

  it('is not in force any more when something is to recover under it', async () => {
    const recovery = { duringFault: { probes: ['stock'], withinMs: 3_000 } }
    expect(await checked({ ...instant, recovery, expectedOutageMs: 10_000 })).toContain(
      'stock must hold 3000 ms after the fault landed, while the fault is in force, but the fault lasts 0 ms.',
    )
    const [kill] = instant.method ?? []
    const again = kill === undefined ? [] : [kill, { waitMs: 3_001 }, kill]
    expect(await checked({ method: again, recovery })).toBe('fine')
  })

  it('done again and again lasts from the first to the last', async () => {
    const [kill] = instant.method ?? []
    const again = kill === undefined ? [] : [kill, { waitMs: 2_000 }, kill, { waitMs: 2_000 }, kill, { waitMs: 60_000 }]
    expect(await checked({ method: again, ...mustFire }, { rules: [{ ...rule, rangeMs: 0 }] })).toBe('fine')
    expect(await checked({ method: again, ...mustFire }, { rules: [{ ...rule, rangeMs: 0, forMs: 3_000 }] })).toContain(
      'longer than 4000 ms',
    )
  })
})

describe('refused up front is', () => {
  it.each([
    [
      'a deadline that is shorter than `for`',
      { ...standing(), alerts: { mustFire: [{ name: 'StockLow', withinMs: 1_999 }] } },
      {},
      'StockLow cannot fire within 1999 ms: its condition must last 2000 ms.',
    ],
    [
      'a deadline between two evaluations that come after `for`',
      { ...standing({ leaseMs: 60_000 }), alerts: { mustFire: [{ name: 'StockLow', withinMs: 2_999 }] } },
      { rules: [{ ...rule, intervalMs: 1_500 }] },
      'StockLow cannot fire within 2999 ms: its condition must last 2000 ms, and its rule is evaluated every 1500 ms. Raise its `withinMs`.',
    ],
    [
      'alerts that nobody reads',
      { ...standing(), alerts: { mayFire: ['StockLow'] } },
      { hasAlerts: false, rules: undefined },
      'The experiment declares which alerts may fire, but the run reads no alerts.',
    ],
    [
      'an alert that nobody reads',
      { ...standing(), ...mustFire },
      { hasAlerts: false },
      'StockLow must fire, but the run reads no alerts. Pass a reader as `alerts`.',
    ],
    ['an unknown target', standing({ target: 'shpo' }), {}, 'Unknown target "shpo". Did you mean "shop"?'],
    ['an unknown fault', standing({ fault: 'empty-shelfs' }), {}, 'Unknown fault "empty-shelfs" of target "shop".'],
  ])('%s', async (_title, more: Partial<ExperimentInput>, facts: Partial<PreflightFacts>, message) => {
    expect(await checked(more, facts)).toContain(message)
  })

  it('a selector of a fleet where the controller is one of a process', async () => {
    expect(await checked(standing({ target: 'shop[zone=eu-1]' }))).toContain('Unknown target "shop[zone=eu-1]"')
  })

  it('a process that allows no faults', async () => {
    const { controller } = createChaos({ environment: 'production' })
    onTestFinished(() => void controller.stopAll())
    expect(await checked(standing(), { controller })).toMatch(/^No fault is allowed now: /)
  })

  it('nothing for a rule where no source tells its rules', async () => {
    expect(await checked({ ...standing({ leaseMs: 1 }), ...mustFire }, { rules: undefined })).toBe('fine')
  })

  it.each([
    [
      'that must fire and has no rule',
      { mustFire: [{ name: 'StokLow', withinMs: 20_000 }] },
      'Unknown alert "StokLow" in `alerts.mustFire`: the monitoring has no rule of that name. Its rules are `StockLow`. Did you mean "StockLow"?',
    ],
    [
      'that must not fire and has no rule',
      { mustNotFire: ['StockLwo'] },
      'Unknown alert "StockLwo" in `alerts.mustNotFire`',
    ],
    ['that may fire and has no rule', { mayFire: ['StockLwo'] }, 'Unknown alert "StockLwo" in `alerts.mayFire`'],
    [
      'that may fire with labels and has no rule',
      { mayFire: [{ name: 'Other' }] },
      'Unknown alert "Other" in `alerts.mayFire`',
    ],
    [
      'with a label that its rule sets to something else',
      { mustFire: [{ name: 'StockLow', labels: { severity: 'warn' }, withinMs: 20_000 }] },
      'The rule of StockLow gives it severity="page", and `alerts.mustFire` expects severity="warn".',
    ],
    [
      'that cannot be gone in time',
      { ...mustFire.alerts, resolveWithinMs: 2_999 },
      'StockLow cannot resolve within 2999 ms (`resolveWithinMs`): its rule may take 3000 ms to resolve it.',
    ],
  ])(
    'an alert %s, also in a run without a fault',
    async (_title, alerts: NonNullable<ExperimentInput['alerts']>, message) => {
      const rules = [{ ...rule, labels: { severity: 'page', team: '{{ $labels.team }}' }, keepFiringForMs: 2_000 }]
      expect(await checked({ ...standing(), alerts }, { rules })).toContain(message)
      expect(await checked({ method: [{ waitMs: 1 }], alerts }, { rules })).toContain(message)
    },
  )

  it('no alert with a label that its rule, or one of its rules, may give', async () => {
    const alerts = {
      mustFire: [{ name: 'StockLow', labels: { severity: 'page', team: 'a', shelf: '7' }, withinMs: 20_000 }],
    }
    const rules = [
      { ...rule, labels: { severity: 'warn' }, forMs: 50_000 },
      { ...rule, labels: { severity: 'page', team: '{{ $labels.team }}' } },
    ]
    expect(await checked({ ...standing(), alerts }, { rules })).toBe('fine')
  })

  it('an alert whose rule the monitoring says is broken', async () => {
    expect(
      await checked(
        { ...standing(), ...mustFire },
        { rules: [{ ...rule, isHealthy: false, problem: 'many-to-many' }] },
      ),
    ).toBe('The monitoring says that the rule of StockLow is broken: many-to-many. Fix the rule.')
    expect(await checked(standing(), { rules: [{ ...rule, isHealthy: false }] })).toBe('fine')
  })

  it('an experiment with alerts while their rules cannot be read', async () => {
    expect(await checked({ ...standing(), alerts: {} }, { rules: undefined, rulesProblems: ['refused'] })).toContain(
      'The alert rules could not be read, so which alerts can fire is unknown. refused',
    )
    expect(await checked(standing(), { rules: undefined, rulesProblems: ['refused'] })).toBe('fine')
  })

  const stock = { name: 'stock', type: 'function', read: () => 7, timeoutMs: 1_000, tolerance: { above: 0 } } as const
  it.each([
    [
      'a steady state that is not waited for long enough',
      { steadyState: { holdForMs: 2_000, timeoutMs: 1_999, probes: [stock] } },
      'but the run waits only 1999 ms for it (`steadyState.timeoutMs`)',
    ],
    [
      'a recovery that is too short for the steady state to hold',
      { recovery: { withinMs: 999 } },
      'must hold for 1000 ms (`holdForMs`), but the recovery budget is 999 ms',
    ],
    [
      'a recovery in which a reading may hang',
      { steadyState: { holdForMs: 10, probes: [stock] }, recovery: { withinMs: 999 } },
      'A reading of stock may take 1000 ms (its `timeoutMs`), but the recovery budget is 999 ms',
    ],
    [
      'a recovery in which a reading may hang for as long as by default',
      { steadyState: { holdForMs: 10, probes: [{ ...stock, timeoutMs: undefined }] }, recovery: { withinMs: 1_999 } },
      'A reading of stock may take 2000 ms',
    ],
    [
      'a recovery under the fault in which a reading may hang',
      { recovery: { duringFault: { probes: ['stock'], withinMs: 999 } } },
      'the probe must hold again 999 ms after the fault landed',
    ],
    [
      'a single reading that would have to look back',
      {
        afterwards: [
          {
            name: 'orders',
            type: 'metric' as const,
            url: 'http://app/metrics',
            series: 'orders',
            windowMs: 5_000,
            tolerance: { above: 0 },
          },
        ],
      },
      'The `afterwards` probe orders is read once, but its `windowMs` needs an earlier reading',
    ],
    [
      'a stop behind the end of the lease that a fault has by default',
      standing({ leaseMs: undefined, forMs: 60_001 }),
      'Step 1 of the method stops its fault after 60001 ms (`forMs`), but the lease already ends after 60000 ms',
    ],
    [
      'a fault that affects nothing',
      standing({ rate: 0 }),
      'Step 1 of the method affects nothing: its `rate` is 0. Raise it, or remove the step for a control run.',
    ],
    [
      'a fault that is over before it has begun',
      standing({ leaseMs: 0 }),
      'Step 1 of the method affects nothing: its `leaseMs` is 0.',
    ],
    [
      'a fault that is stopped before it has begun',
      standing({ forMs: 0 }),
      'Step 1 of the method affects nothing: its `forMs` is 0.',
    ],
    [
      'a recovery that is shorter than the pause between two readings',
      { steadyState: { holdForMs: 10, probes: [{ ...stock, timeoutMs: 10 }] }, recovery: { withinMs: 249 } },
      'is read every 250 ms (`pollMs`), but the recovery budget is 249 ms (`recovery.withinMs`)',
    ],
    [
      'a stop behind the end of the lease',
      standing({ forMs: 15_001 }),
      'Step 1 of the method stops its fault after 15001 ms (`forMs`), but the lease already ends after 15000 ms',
    ],
  ])('%s', async (_title, more: Partial<ExperimentInput>, message) => {
    expect(await checked({ ...standing(), ...more })).toContain(message)
  })
})

describe('a query', () => {
  /** A Prometheus that takes `up` and nothing else. */
  const prometheus = (): Promise<string> =>
    serve((request, response) => {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams.get('query')
      if (query === 'up') response.end('{"status":"success","data":{"resultType":"vector","result":[]}}')
      else
        response
          .writeHead(query === 'busy' ? 503 : 400)
          .end('{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:5: parse error"}')
    })
  const asking = (url: string, query: string, more: object = {}) => ({
    name: 'lost',
    type: 'prometheus' as const,
    url,
    query,
    tolerance: { atMost: 0 },
    ...more,
  })

  it.each([
    [
      'that is read at the end',
      (url: string) => ({ afterwards: [asking(url, 'sum(')] }),
      'rejects the `query` of lost: ',
    ],
    [
      'that is asked where another has no result',
      (url: string) => ({ guardrails: [asking(url, 'up', { emptyIs: 0, existsQuery: 'count(' })] }),
      'rejects the `existsQuery` of lost: ',
    ],
  ])('%s and that its Prometheus does not take is refused', async (_title, more, message) => {
    const problem = await checked({ ...standing(), ...more(await prometheus()) })
    expect(problem).toContain(message)
    expect(problem).toContain('1:5: parse error')
  })

  it('that its Prometheus takes, or cannot answer now, is not', async () => {
    const url = await prometheus()
    expect(await checked({ ...standing(), afterwards: [asking(url, 'up', { emptyIs: 0, existsQuery: 'busy' })] })).toBe(
      'fine',
    )
    expect(await checked({ ...standing(), afterwards: [asking('http://127.0.0.1:1', 'sum(')] })).toBe('fine')
  })
})

describe('a controller that can check', () => {
  const checking = (check: (...given: unknown[]) => Promise<void>): { readonly controller: ChaosController } => ({
    controller: { ...shopOn(manualClock()).controller, check },
  })

  it('is asked about each step exactly as it will be put in force', async () => {
    const check = vi.fn(() => Promise.resolve())
    const inject = {
      target: 'shop',
      fault: 'empty-shelves',
      options: { a: 1 },
      leaseMs: 15_000,
      forMs: 10_000,
      rate: 0.5,
    }
    expect(
      await checked(
        { method: [{ waitMs: 1 }, { inject }, { inject: { target: 'shop', fault: 'sell-out' } }] },
        checking(check),
      ),
    ).toBe('fine')
    expect(check.mock.calls).toEqual([
      ['shop', 'empty-shelves', { a: 1 }, { leaseMs: 15_000, rate: 0.5, id: 'the-shop:2' }],
      ['shop', 'sell-out', {}, { id: 'the-shop:3' }],
    ])
    check.mockClear()
    await checked({ method: [{ waitMs: 1 }] }, checking(check))
    expect(check).not.toHaveBeenCalled()
  })

  it('refuses what it would refuse to arm', async () => {
    const refuses = (): Promise<never> =>
      Promise.reject(new ChaosError('CHAOS_INVALID_OPTION', 'Unknown option "dealyMs".'))
    expect(await checked(standing(), checking(refuses))).toBe(
      'Step 1 of the method cannot be done (empty-shelves into shop). Unknown option "dealyMs".',
    )
  })

  it('that cannot be reached is another matter', async () => {
    const { shop } = shopOn(manualClock())
    const gone = checking(() => Promise.reject(new ChaosError('CHAOS_ENDPOINT_UNREACHABLE', 'gone')))
    await expect(
      preflight(shopExperiment(shop), {
        ...gone,
        rules: undefined,
        timing: {},
        needsNotification: false,
        hasAlerts: false,
        pollMs: 250,
      }),
    ).rejects.toMatchObject({ code: 'CHAOS_ENDPOINT_UNREACHABLE' })
  })
})
