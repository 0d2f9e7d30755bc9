import { describe, expect, it } from 'vitest'
import {
  curve,
  injection,
  load,
  loadReport,
  monitor,
  passingEvidence,
  sample,
  sealed,
  stretch,
  thorough,
} from '../../test/support.js'
import { defineExperiment } from '../model/define.js'
import type { Experiment } from '../model/experiment.js'
import type { Curve, Evidence } from '../evidence/evidence.js'
import { EXIT_CODES, exitCodeOf, type VerdictName } from './exit-codes.js'
import { judge } from './judge.js'

const probes = thorough.steadyState.probes
const control = defineExperiment({
  title: 'nothing',
  steadyState: { probes },
  method: [{ waitMs: 20_000 }],
  alerts: {},
})
type Parts = Partial<Omit<Evidence, 'inventory'>>
const calm = (): Curve =>
  curve('stock', { samples: curve().samples.map((one) => ({ ...one, value: 7, isGood: true })) })
const quiet = (more: Parts = {}): Evidence =>
  passingEvidence({
    injections: [],
    alerts: [],
    afterwards: [],
    guards: [],
    load: undefined,
    curves: [calm()],
    ...more,
  })
/** The curve of a probe that never came back. */
const broken = (value: number | undefined, source: Curve['source'] = 'function'): Curve =>
  curve('stock', {
    source,
    samples: curve().samples.map((one) => (one.at < 11_000 ? one : sample(one.n, one.at, value, false))),
  })
const flickering = (): Curve =>
  curve('stock', {
    samples: curve().samples.map((one) =>
      one.at < 11_000 || one.n % 3 === 0 ? { ...one, value: 7, isGood: true } : sample(one.n, one.at, 0, false),
    ),
  })
const late = (from: number): Curve =>
  curve('stock', {
    samples: Array.from({ length: 125 }, (_, index) => {
      const at = 4_000 + index * 500
      const isGood = at < 11_000 || at >= from
      return sample(index, at, isGood ? 7 : 0, isGood)
    }),
  })
/** A probe that is back at 44 s, and from then on is read every 3 s or so: it had held at 49 s, and that is read at 51 s. */
const seldom = (): Curve =>
  curve('stock', {
    samples: [...Array.from({ length: 81 }, (_, index) => 4_000 + index * 500), 47_000, 48_900, 51_000].map((at, n) =>
      at < 11_000 || at >= 44_000 ? sample(n, at, 7, true) : sample(n, at, 0, false),
    ),
  })
const bad = sample(0, 45_000, 3, false)
const guard = (value: number | undefined): Curve =>
  curve('orders', {
    bounds: '> 10',
    samples: curve().samples.map((one) =>
      one.at < 12_000 ? { ...one, value: 20, isGood: true } : sample(one.n, one.at, value, false),
    ),
  })

describe('a run that shows everything', () => {
  const verdict = judge(thorough, passingEvidence())

  it('passes, and says what was seen', () => {
    expect(verdict).toMatchObject({
      name: 'pass',
      cause:
        'The fault landed, the alert fired in time and resolved, and the steady state had held again 6500 ms after its end.',
    })
  })

  it('counts detection from the landing, and recovery from the end of the fault until the steady state had held', () => {
    expect(verdict).toMatchObject({ timeToDetectMs: 3_900, timeToRecoverMs: 6_500, recovery: 'by-itself' })
  })
})

describe('verdicts by cause', () => {
  const strict = { ...thorough, steadyState: { ...thorough.steadyState, mayBreach: [] } }
  const fallback = { ...thorough, recovery: { withinMs: 20_000, duringFault: { probes: ['stock'], withinMs: 3_000 } } }
  const cases: readonly (readonly [string, VerdictName, Parts, RegExp, Experiment?])[] = [
    [
      'a rollback failed',
      'rollback-failed',
      { rollbackFailures: ['the-shop:1: locked'], brokenOff: 'the caller stopped it' },
      /rolled back: the-shop:1: locked/,
    ],
    ['a guardrail tripped', 'guardrail-tripped', { guards: [guard(3)] }, /orders was 3, expected > 10/],
    [
      'a guardrail could not be read',
      'guardrail-tripped',
      { guards: [guard(undefined)] },
      /orders was without data \(refused\)/,
    ],
    ['it was aborted', 'inconclusive', { brokenOff: 'the caller stopped it' }, /aborted: the caller stopped it/],
    [
      'the machine is too slow',
      'inconclusive',
      { load: load(() => ({ ownDelayMs: 300 })), gate: { isMet: false, from: 4_000 } },
      /machine was too slow.* 300 ms late/,
    ],
    [
      'the steady state did not hold before',
      'gate-unmet',
      { gate: { isMet: false, from: 4_000, problem: 'stock was 0' } },
      /stock was 0/,
    ],
    ['its alert was active before', 'inconclusive', { firingBefore: ['StockLow'] }, /StockLow was active before/],
    ['another alert was firing before', 'inconclusive', { firingBefore: ['Fire'] }, /Fire was active before/],
    [
      'the fault was refused',
      'fault-did-not-land',
      { failures: ['empty-shelves into shop: no'], injections: [] },
      /into shop: no/,
    ],
    [
      'the fault hit nothing',
      'fault-did-not-land',
      { injections: [injection({ landedAt: undefined, landedSeenAt: undefined, affected: 0, seen: 12 })] },
      /hit nothing in shop: 0 of 12/,
    ],
    [
      'the fault failed after its first hit',
      'fault-did-not-land',
      { injections: [injection({ outcome: 'failed' })] },
      /hit nothing/,
    ],
    ['an injection is not known', 'fault-did-not-land', { injections: [] }, /0 of 1 faults of the method/],
    [
      'nobody saw the fault end',
      'inconclusive',
      { injections: [injection({ status: 'active', outcome: undefined, endedAt: undefined, endedSeenAt: undefined })] },
      /end of the fault was not seen/,
    ],
    [
      'it did not recover',
      'weakness-found',
      { curves: [broken(0)] },
      /20000 ms after the fault had ended: stock was 0, expected > 0/,
    ],
    ['it recovered for moments only', 'weakness-found', { curves: [flickering()] }, /stock broke again each time/],
    [
      'a probe of the system gives no data any more',
      'weakness-found',
      { curves: [broken(undefined)] },
      /without data \(refused\)/,
    ],
    [
      'only the monitoring cannot say whether it recovered',
      'inconclusive',
      { curves: [broken(undefined, 'prometheus')] },
      /Whether the system recovered is unknown/,
    ],
    [
      'it recovered in time or late, by what was read',
      'inconclusive',
      { curves: [late(45_500)] },
      /20000 ms to 20500 ms to recover; readings are too far apart to tell/,
    ],
    [
      'it broke again after it had recovered',
      'weakness-found',
      {
        curves: [
          curve('stock', {
            samples: curve().samples.map((one) => (one.at === 44_000 ? sample(one.n, one.at, 1, false) : one)),
          }),
        ],
      },
      /stock left its bounds again after the system had recovered: stock was 1/,
    ],
    [
      'writes wait for long after it recovered',
      'weakness-found',
      { load: load(({ at }) => (at > 36_000 && at < 42_000 ? { acknowledged: 360 } : {})) },
      /No write was acknowledged for 5\.5 s after recovery/,
    ],
    ['it recovered too late', 'weakness-found', { curves: [late(46_000)] }, /21000 ms to recover, expected 20000 ms/],
    [
      'something was lost',
      'weakness-found',
      { afterwards: [{ name: 'orders left', bounds: '= 0', sample: bad }] },
      /orders left was 3 afterwards, expected = 0/,
    ],
    [
      'nobody can say whether something was lost',
      'inconclusive',
      { afterwards: [{ name: 'orders left', bounds: '= 0', sample: sample(0, 1, undefined, false) }] },
      /could not be read afterwards: refused/,
    ],
    [
      'a probe breached that had no leave to',
      'weakness-found',
      {},
      /stock left its bounds, which this fault should not cause/,
      strict,
    ],
    ['a probe breached that may', 'pass', {}, /The fault landed/],
    [
      'targets were not scraped yet when the run began',
      'pass',
      {
        monitors: [
          monitor({
            readings: monitor().readings.map((one, n) => (n < 5 ? { ...one, scrapedAt: 0 } : one)),
          }),
        ],
      },
      /The fault landed/,
    ],
    [
      'a probe breached that may, before anything was broken',
      'weakness-found',
      {
        methodAt: 9_200,
        injections: [injection({ askedAt: 9_990 })],
        curves: [
          curve('stock', {
            samples: curve().samples.map((one) => (one.at === 9_500 ? sample(one.n, one.at, 0, false) : one)),
          }),
        ],
      },
      /stock left its bounds before anything was broken: stock was 0/,
    ],
    ['it did not recover under the fault', 'weakness-found', {}, /stock did not hold from 3000 ms/, fallback],
    ['the alert did not fire', 'alert-failed', { alerts: [] }, /StockLow missed: It never fired/],
    [
      'another alert fired',
      'alert-failed',
      { alerts: [stretch({ state: 'pending', from: 11_500, to: 14_000 }), stretch(), stretch({ name: 'Fire' })] },
      /Fire unexpected/,
    ],
    [
      'the monitoring was down',
      'inconclusive',
      {
        alerts: [],
        alertReadings: [{ source: 'the test', succeeded: 0, failed: 40, longestGapMs: 40_000, problem: 'refused' }],
      },
      /could not be read/,
    ],
    [
      'the monitoring was down for a while',
      'inconclusive',
      { alertReadings: [{ source: 'the test', succeeded: 40, failed: 40, longestGapMs: 10_001, problem: 'refused' }] },
      /Alerts could not be read \(refused\)/,
    ],
    [
      'one of two sources was down',
      'inconclusive',
      {
        alertReadings: [
          ...passingEvidence().alertReadings,
          { source: 'other', succeeded: 0, failed: 3, longestGapMs: 1, problem: undefined },
        ],
      },
      /Alerts could not be read/,
    ],
    [
      'the rules were not evaluated any more',
      'inconclusive',
      {
        monitors: [
          monitor({ readings: monitor().readings.map((one) => ({ ...one, evaluatedAt: Math.min(one.at, 12_000) })) }),
        ],
      },
      /Alert rules were not evaluated by the test for 34\.\d s, expected at most 5\.8 s/,
    ],
    [
      'the rules stood still from before on',
      'inconclusive',
      { monitors: [monitor({ readings: monitor().readings.map((one) => ({ ...one, evaluatedAt: 1_000 })) })] },
      /Alert rules were not evaluated/,
    ],
    [
      'targets were not scraped any more',
      'inconclusive',
      {
        monitors: [
          monitor({ readings: monitor().readings.map((one) => ({ ...one, scrapedAt: Math.min(one.at, 12_000) })) }),
        ],
      },
      /Targets were not scraped/,
    ],
    [
      'targets were never scraped',
      'inconclusive',
      { monitors: [monitor({ readings: monitor().readings.map((one) => ({ ...one, scrapedAt: 0 })) })] },
      /Targets were not scraped by the test for \d\d\.\d s/,
    ],
    [
      'no source shows that rules are evaluated',
      'inconclusive',
      { monitors: [monitor({ readings: monitor().readings.map((one) => ({ ...one, evaluatedAt: undefined })) })] },
      /No source of alerts shows that rules are evaluated/,
    ],
    [
      'no target could be scraped once the system had recovered',
      'inconclusive',
      { monitors: [monitor({ readings: monitor().readings.map((one) => ({ ...one, isBlind: one.at > 40_000 })) })] },
      /the test says that no target can be scraped/,
    ],
    [
      'no target could be scraped while the fault was in force',
      'pass',
      {
        monitors: [
          monitor({
            readings: monitor().readings.map((one) => ({ ...one, isBlind: one.at > 11_000 && one.at < 30_000 })),
          }),
        ],
      },
      /The fault landed/,
    ],
    [
      'the signs of life came too seldom',
      'inconclusive',
      { monitors: [monitor({ readings: monitor().readings.filter(({ at }) => at < 12_000 || at > 40_000) })] },
      /were not evaluated/,
    ],
    [
      'a page stood still',
      'inconclusive',
      {
        curves: [
          curve('stock', { samples: curve().samples.map((one) => ({ ...one, dataAt: Math.min(one.at, 20_000) })) }),
        ],
      },
      /stock: the data was 15\.5 s old when it was read, expected at most 15\.0 s/,
    ],
    [
      'a page was the one from before the fault had ended',
      'inconclusive',
      {
        curves: [
          curve('stock', {
            source: 'metric',
            maxAgeMs: 60_000,
            samples: calm().samples.map((one) => ({ ...one, dataAt: Math.min(one.at, 9_000) })),
          }),
        ],
      },
      /Whether the system recovered is unknown: the data of stock is from before the fault ended/,
    ],
    [
      'it recovered in time, and that was read late',
      'inconclusive',
      { curves: [seldom()] },
      /18500 ms to 21000 ms to recover; readings are too far apart to tell/,
    ],
    [
      'the clock of the app is unknown',
      'inconclusive',
      { appClock: [] },
      /could not be read, so when they landed and ended is unknown/,
    ],
    [
      'the clock of the app was set in mid-run',
      'inconclusive',
      {
        appClock: [
          { at: 4_000, offsetMs: 0, errorMs: 5 },
          { at: 20_000, offsetMs: 900, errorMs: 5 },
        ],
      },
      /was set during the run, by 890 ms/,
    ],
    [
      'the app says that the fault landed when it cannot have',
      'inconclusive',
      { injections: [injection({ landedAt: 4_000 })] },
      /reports that it landed or ended 5990 ms away/,
    ],
    [
      'this process was stopped',
      'inconclusive',
      { own: [...passingEvidence().own, { at: 46_900, lateMs: 5_000 }] },
      /too slow or the process was suspended: it was 5\.0 s late/,
    ],
    [
      'a probe was not read for a while',
      'inconclusive',
      {
        curves: [
          curve('stock', {
            samples: curve()
              .samples.filter(({ at }) => at < 15_000 || at > 20_000)
              .map((one, n) => ({ ...one, n })),
          }),
        ],
      },
      /stock was not read for 6\.0 s/,
    ],
    [
      'a reading is missing',
      'inconclusive',
      { curves: [curve('stock', { samples: curve().samples.filter(({ n }) => n !== 40) })] },
      /stock: readings are missing/,
    ],
    ['the method was not done', 'inconclusive', { isMethodDone: false }, /end of the fault was not seen/],
    [
      'a probe was not read any more',
      'inconclusive',
      { curves: [curve('stock', { samples: curve().samples.filter(({ at }) => at < 10_000) })] },
      /stock was never read/,
    ],
  ]

  it.each(cases.map(([title, name, more, cause, experiment = thorough]) => ({ title, name, more, cause, experiment })))(
    '$title: $name',
    ({ name, more, cause, experiment }) => {
      const verdict = judge(experiment, passingEvidence(more))
      expect(verdict.name).toBe(name)
      expect(verdict.cause).toMatch(cause)
      expect(verdict.cause).toMatch(/\.$/)
    },
  )

  it('says that recovery was assisted when somebody stopped the fault early', () => {
    for (const outcome of ['stopped', 'rolled-back', 'aborted'] as const)
      expect(judge(thorough, passingEvidence({ injections: [injection({ outcome })] }))).toMatchObject({
        name: 'pass',
        recovery: 'assisted',
        cause: expect.stringContaining('because the fault was stopped') as string,
      })
    for (const outcome of ['lease-expired', 'limit-spent'] as const)
      expect(judge(thorough, passingEvidence({ injections: [injection({ outcome })] })).recovery).toBe('by-itself')
  })

  it.each(['stopped', 'rolled-back', 'aborted', 'lease-expired'] as const)(
    'does not take an outage for the one that was asked for when it was shorter: %s',
    (outcome) => {
      const short = (lastedMs: number, more: { readonly forMs?: number } = {}): string => {
        const method = thorough.method.map((step) =>
          'inject' in step ? { inject: { ...step.inject, ...more } } : step,
        )
        return judge(
          { ...thorough, method },
          passingEvidence({ injections: [injection({ outcome, armedAt: 30_000 - lastedMs })] }),
        ).name
      }
      expect([
        short(20_000),
        short(19_000),
        short(12_000, { forMs: 12_000 }),
        short(11_000, { forMs: 12_000 }),
      ]).toEqual(['pass', 'inconclusive', 'pass', 'inconclusive'])
      expect(judge(thorough, passingEvidence({ injections: [injection({ outcome, armedAt: 11_000 })] })).cause).toBe(
        'shop/empty-shelves ended after 19.0 s instead of 20.0 s: something outside this run stopped it.',
      )
      expect(
        judge(thorough, passingEvidence({ injections: [injection({ outcome: 'limit-spent', armedAt: 11_000 })] })).name,
      ).toBe('pass')
    },
  )

  it('does not speak of recovery where the run was ended before it could be seen', () => {
    expect(judge(thorough, passingEvidence({ brokenOff: 'the caller stopped it' })).recovery).toBe('not-observed')
    expect(judge(thorough, passingEvidence({ curves: [broken(0)] })).recovery).toBe('not-recovered')
  })
})

describe('several sources', () => {
  const two: Experiment = {
    ...thorough,
    alerts: {
      mustFire: [...(thorough.alerts?.mustFire ?? []), { name: 'Empty', withinMs: 10_000 }],
      mayFire: [],
      mustNotFire: [],
      resolveWithinMs: 20_000,
    },
  }
  const both = (heardAt: number): Evidence =>
    passingEvidence({
      alerts: [...passingEvidence().alerts, stretch({ name: 'Empty' })],
      notifications: [
        ...(passingEvidence().notifications ?? []),
        { at: heardAt, name: 'Empty', labels: {}, status: 'firing' },
      ],
    })

  it('a notification from before the fault is of an earlier alert', () => {
    expect(judge(two, both(15_500)).name).toBe('pass')
    expect(judge(two, both(9_000))).toMatchObject({
      name: 'alert-failed',
      alerts: [{ outcome: 'detected' }, { name: 'Empty', outcome: 'silenced' }],
    })
  })

  it('one that says all the while that it does not work is not made good by another', () => {
    const second = (problem: string | undefined): Evidence =>
      passingEvidence({
        alertReadings: [
          ...passingEvidence().alertReadings,
          { source: 'second', succeeded: 86, failed: 0, longestGapMs: 500, problem: undefined },
        ],
        monitors: [
          monitor(),
          monitor({
            source: 'second',
            readings: monitor().readings.map((one) => ({
              ...one,
              evaluatedAt: undefined,
              scrapedAt: undefined,
              problem,
            })),
          }),
        ],
      })
    expect(judge(thorough, second(undefined)).name).toBe('pass')
    expect(judge(thorough, second('The alert Watchdog, which always fires, does not'))).toMatchObject({
      name: 'inconclusive',
      cause: 'second never showed that alert rules are evaluated (The alert Watchdog, which always fires, does not).',
    })
  })

  it.each(['evaluatedAt', 'scrapedAt'] as const)(
    'that stood still since the fault ended shows nothing of what came after, also where that is no time for it: %s',
    (sign) => {
      const still = (from: number, more: Partial<ReturnType<typeof monitor>> = {}): Evidence =>
        passingEvidence({
          monitors: [
            monitor({
              ruleIntervalMs: 60_000,
              scrapeIntervalMs: 60_000,
              readings: monitor().readings.map((one) => ({ ...one, [sign]: Math.min(one.at, from) })),
              ...more,
            }),
          ],
        })
      expect(judge(thorough, still(44_000)).name).toBe('pass')
      expect(judge(thorough, still(29_000))).toMatchObject({
        name: 'inconclusive',
        cause: expect.stringContaining('again after the fault had ended') as string,
      })
      expect(judge(thorough, still(29_000, { ruleIntervalMs: 3_600_000, scrapeIntervalMs: 3_600_000 })).name).toBe(
        'pass',
      )
    },
  )

  it.each([[monitor().clock], [[]]])(
    'that scraped one of two targets since the fault ended has not scraped the other',
    (clock) => {
      // Two targets are scraped every 40 s, one at 21 s and the other at 29 s: a sign tells of the one for which that is longer ago.
      const scraped = (until: number): Evidence =>
        passingEvidence({
          monitors: [
            monitor({
              ruleIntervalMs: 250,
              scrapeIntervalMs: 40_000,
              clock,
              readings: monitor().readings.map((one) => ({
                ...one,
                scrapedAt: one.at < 29_000 ? one.at - 8_000 : one.at < until ? 21_000 : 29_000,
              })),
            }),
          ],
        })
      expect(judge(thorough, scraped(40_000))).toMatchObject({
        name: 'inconclusive',
        cause: expect.stringContaining('did not evaluate its rules and scrape its targets again') as string,
      })
    },
  )

  it('that says at the end that its scrapes fail has gathered nothing, unless it said so before', () => {
    const down = (from: number, until = 99_000): Evidence =>
      passingEvidence({
        monitors: [
          monitor({
            readings: monitor().readings.map((one) =>
              one.at >= from && one.at <= until ? { ...one, problem: 'The target cannot be scraped: refused' } : one,
            ),
          }),
        ],
      })
    expect(judge(thorough, down(12_000))).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringContaining('The target cannot be scraped: refused') as string,
    })
    expect(judge(thorough, down(12_000, 32_000)).name).toBe('pass')
    expect(judge(thorough, down(0)).name).toBe('pass')
    // Something else that was wrong before does not hide it, and the same in other words is nothing new.
    const [other, app] = [
      'The target http://other/metrics cannot be scraped: refused',
      'The target http://app/metrics cannot be scraped: refused',
    ]
    const after = (before: string, problem: string): string =>
      judge(
        thorough,
        passingEvidence({
          monitors: [
            monitor({
              readings: monitor().readings.map((one) => ({ ...one, problem: one.at > 32_000 ? problem : before })),
            }),
          ],
        }),
      ).name
    expect([after(other, app), after(other, other), after(app, app.replace('refused', 'timed out'))]).toEqual([
      'inconclusive',
      'pass',
      'pass',
    ])
  })

  it('the monitoring of a guardrail must show that it scrapes, as that of a probe must', () => {
    const guarded: Experiment = {
      ...thorough,
      guardrails: [
        { name: 'orders', type: 'prometheus', url: 'http://other', query: 'orders', tolerance: { above: 10 } },
      ],
    }
    expect(judge(guarded, passingEvidence({ monitors: [monitor(), monitor({ source: 'http://other/' })] })).name).toBe(
      'pass',
    )
    expect(judge(guarded, passingEvidence())).toMatchObject({
      name: 'inconclusive',
      cause: 'orders: the monitoring at http://other does not show that it scrapes its targets.',
    })
  })

  it('the monitoring of a reading at the end must show that it scrapes, too', () => {
    const counted: Experiment = {
      ...thorough,
      afterwards: [
        {
          name: 'orders left',
          type: 'prometheus',
          url: 'http://other',
          query: 'sum(orders)',
          tolerance: { equals: 0 },
        },
      ],
    }
    expect(judge(counted, passingEvidence({ monitors: [monitor(), monitor({ source: 'http://other/' })] })).name).toBe(
      'pass',
    )
    expect(judge(counted, passingEvidence())).toMatchObject({
      name: 'inconclusive',
      cause: 'orders left: the monitoring at http://other does not show that it scrapes its targets.',
    })
    expect(
      judge(
        counted,
        passingEvidence({
          monitors: [
            monitor(),
            monitor({
              source: 'http://other/',
              readings: monitor().readings.map((one) => ({ ...one, scrapedAt: Math.min(one.at, 20_000) })),
            }),
          ],
        }),
      ),
    ).toMatchObject({
      name: 'inconclusive',
      cause: expect.stringContaining('Targets were not scraped by http://other/') as string,
    })
  })

  it('data of a monitoring may be as old as its scrapes, however its address was written', () => {
    const scraped = curve('stock', {
      source: 'prometheus',
      origin: 'http://slow/',
      samples: curve().samples.map((one) => ({ ...one, dataAt: one.at - 40_000 })),
    })
    expect(
      judge(
        thorough,
        passingEvidence({
          curves: [scraped],
          monitors: [monitor(), monitor({ source: 'http://slow', scrapeIntervalMs: 60_000 })],
        }),
      ).name,
    ).toBe('pass')
  })
})

describe('a probe of what happens, in which nothing does', () => {
  const url = 'http://app/metrics'
  const tolerance = { above: 0 }
  const idle = (isIdle: (at: number) => boolean): Curve =>
    curve('stock', {
      samples: curve().samples.map((one) => (isIdle(one.at) && one.isGood ? { ...one, quality: 'idle' } : one)),
    })
  const on = (probe: Experiment['steadyState']['probes'][number]): Experiment => ({
    ...thorough,
    steadyState: { ...thorough.steadyState, probes: [probe] },
  })

  it.each([
    [
      'inconclusive',
      'a quantile of nothing',
      on({ name: 'stock', type: 'metric', url, series: 'lag', quantile: 0.9, emptyIs: 0, tolerance }),
    ],
    [
      'inconclusive',
      'a share of nothing',
      on({ name: 'stock', type: 'metric', url, series: 'errors', outOf: { series: 'calls' }, emptyIs: 0, tolerance }),
    ],
    [
      'pass',
      'a count that may well be 0',
      on({ name: 'stock', type: 'metric', url, series: 'errors', emptyIs: 0, tolerance }),
    ],
  ] as const)('is %s: %s', (name, _what, experiment) => {
    const well = (isIdle: (at: number) => boolean): Evidence =>
      passingEvidence({
        curves: [
          {
            ...idle(isIdle),
            samples: idle(isIdle).samples.map((one) =>
              one.isGood || one.at < 10_000 ? one : sample(one.n, one.at, undefined, false),
            ),
          },
        ],
      })
    expect(
      judge(
        experiment,
        well(() => true),
      ),
    ).toMatchObject({ name })
    expect(
      judge(
        experiment,
        well((at) => at < 40_000),
      ).name,
    ).toBe('pass')
    // What it measured before the fault says nothing of a system in which nothing has happened since.
    expect(
      judge(
        experiment,
        well((at) => at > 11_000),
      ).name,
    ).toBe(name)
  })
})

describe('what is no evidence', () => {
  const { inventory: _inventory, ...parts } = passingEvidence()
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['an empty inventory', { inventory: {} }],
    ['a list', []],
    ['parts of another type', sealed({ ...parts, curves: 'none' as unknown as Curve[] })],
    ['a part that was never there', sealed({ ...parts, rollbackFailures: undefined as unknown as string[] })],
    ['a clock that shows no number', passingEvidence({ appClock: [{ at: 4_000, offsetMs: Number.NaN, errorMs: 0 }] })],
    [
      'a clock that JSON could not write',
      JSON.parse(
        JSON.stringify(
          passingEvidence({
            monitors: [monitor({ clock: [{ at: 4_000, offsetMs: 0, errorMs: Number.POSITIVE_INFINITY }] })],
          }),
        ),
      ),
    ],
    [
      'readings that JSON could not write',
      JSON.parse(
        JSON.stringify(
          passingEvidence({
            curves: [
              curve('stock', {
                samples: curve().samples.map((one) => (one.isGood ? { ...one, value: Number.POSITIVE_INFINITY } : one)),
              }),
            ],
          }),
        ),
      ),
    ],
  ] as readonly (readonly [string, unknown])[])(
    'is never judged to be a pass, and never throws: %s',
    (_what, evidence) => {
      expect(judge(thorough, evidence as Evidence)).toMatchObject({
        name: 'inconclusive',
        cause: expect.stringMatching(/^The evidence .+\.$/) as string,
      })
    },
  )

  it('does not say so of an infinite reading, nor of what a fault says in its own words', () => {
    const infinite = curve('stock', {
      samples: curve().samples.map((one) => (one.isGood ? { ...one, value: Number.POSITIVE_INFINITY } : one)),
    })
    expect(
      judge(
        thorough,
        passingEvidence({
          curves: [infinite],
          injections: [injection({ options: { to: null }, evidence: [{ code: null }] })],
        }),
      ).name,
    ).toBe('pass')
  })
})

it('judges a run of a day as it judges a short one', () => {
  const count = 130_000
  const often = Array.from({ length: count }, (_, index) => 4_000 + (index * 42_000) / count)
  const day = passingEvidence({
    curves: [
      curve('stock', {
        samples: often.map((at, n) => sample(n, at, at < 11_000 || at > 31_000 ? 7 : 0, at < 11_000 || at > 31_000)),
      }),
    ],
    own: often.map((at) => ({ at, lateMs: 0 })),
    appClock: often.map((at) => ({ at, offsetMs: 0, errorMs: 0 })),
    load: {
      readings: often.map((at) => ({ askedAt: at, at, report: loadReport(at), problem: undefined })),
      final: load().final,
    },
  })
  expect(judge(thorough, day)).toMatchObject({ name: 'pass' })
})

describe('a control run', () => {
  it('passes when the steady state held and no alert fired', () => {
    expect(judge(control, quiet())).toMatchObject({
      name: 'pass',
      cause: 'Nothing was broken, the steady state held, and no alert fired.',
      recovery: 'not-observed',
    })
  })

  const cases: readonly (readonly [string, VerdictName, Parts])[] = [
    ['an alert fires', 'alert-failed', { alerts: [stretch()] }],
    ['a probe leaves its bounds', 'weakness-found', { curves: [curve()] }],
    ['a probe gives no data', 'inconclusive', { curves: [broken(undefined)] }],
    ['alerts were not read', 'inconclusive', { alertReadings: [] }],
    ['probes were not read', 'inconclusive', { curves: [] }],
    ['the gate was not met', 'gate-unmet', { gate: { isMet: false, from: 4_000 } }],
  ]
  it.each(cases)('does not pass when %s: %s', (_title, name, more) => {
    expect(judge(control, quiet(more)).name).toBe(name)
  })

  it('says so when alerts were no part of it', () => {
    const { alerts: _alerts, ...deaf } = control
    expect(judge(deaf, quiet({ alertReadings: [] }))).toMatchObject({
      name: 'pass',
      cause: expect.stringContaining('alerts were not watched') as string,
    })
  })
})

describe('exit codes', () => {
  it('gives each verdict an exit code of its own, and leaves 1 and 2 to errors', () => {
    const codes = Object.values(EXIT_CODES)
    expect(new Set(codes).size).toBe(codes.length)
    expect(codes).not.toContain(1)
    expect(codes).not.toContain(2)
    expect(exitCodeOf({ name: 'pass' })).toBe(0)
    expect(exitCodeOf({ name: 'alert-failed' })).toBe(13)
  })
})
