import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curve, injection, monitor, passingEvidence, sample, stretch, thorough } from '../../test/support.js'
import type { MarkName } from './evidence.js'
import { marksOf, recoveredDuringFault, type Recording } from './marks.js'

const recorded = (more: Partial<Recording> = {}): Recording => {
  const { injections, curves, alerts, notifications, monitors, appClock } = passingEvidence()
  return { injections, curves, alerts, notifications, monitors, appClock, isMethodDone: true, ...more }
}

describe('marks', () => {
  it('are dated by what was recorded, each with its error bar', () => {
    expect(marksOf(thorough, recorded())).toEqual({
      t0: { at: 10_100, errorMs: 0 },
      t1: { at: 11_000, errorMs: 500 },
      t2: { at: 14_000, errorMs: 500 },
      t3: { at: 15_000, errorMs: 0 },
      t4: { at: 30_000, errorMs: 0 },
      t5: { at: 31_500, errorMs: 500 },
      t6: { at: 33_000, errorMs: 500 },
      t7: { at: 36_500, errorMs: 500 },
    })
  })

  it('begin with the landing: without it there is none', () => {
    expect(
      marksOf(thorough, recorded({ injections: [injection({ landedAt: undefined, landedSeenAt: undefined })] })),
    ).toEqual({})
  })

  it.each([-3_600_000, -12_000, 5_000, 3_600_000])(
    'are by our own clock, however far the clock of the app is off: %i ms',
    (offsetMs) => {
      const { armedAt, landedAt = 0, endedAt = 0 } = injection()
      const shifted = recorded({
        injections: [
          injection({ armedAt: armedAt + offsetMs, landedAt: landedAt + offsetMs, endedAt: endedAt + offsetMs }),
        ],
        appClock: [{ at: 5_000, offsetMs: offsetMs + 8, errorMs: 10 }],
      })
      const marks = marksOf(thorough, shifted)
      expect(marks).toMatchObject({ t0: { at: 10_102, errorMs: 20 }, t4: { at: 30_002, errorMs: 20 } })
      expect(marks.t7).toEqual(marksOf(thorough, recorded()).t7)
    },
  )

  it('lie between what was asked and what was seen where the clock of the app is unknown', () => {
    expect(marksOf(thorough, recorded({ appClock: [] }))).toMatchObject({
      t0: { at: 10_300, errorMs: 310 },
      t4: { at: 30_200, errorMs: 400 },
    })
  })

  it('take a condition by the clock of the monitoring, corrected', () => {
    const behind = monitor({ clock: [{ at: 5_000, offsetMs: -2_000, errorMs: 0 }] })
    expect(
      marksOf(thorough, recorded({ curves: [], monitors: [behind], alerts: [stretch({ activeAt: 10_500 })] })).t1,
    ).toEqual({ at: 12_500, errorMs: 250 })
  })

  it('take an instant fault as over when it landed, and the last of several', () => {
    const kill = injection({
      kind: 'instant',
      outcome: 'completed',
      landedAt: 10_100,
      endedAt: 10_400,
      endedSeenAt: 10_500,
    })
    expect(marksOf(thorough, recorded({ injections: [kill] })).t4).toEqual({ at: 10_100, errorMs: 0 })
    expect(
      marksOf(
        thorough,
        recorded({
          injections: [
            kill,
            injection({ kind: 'instant', id: 'again', askedAt: 11_900, landedAt: 12_000, landedSeenAt: 12_100 }),
          ],
        }),
      ),
    ).toMatchObject({ t0: { at: 10_100 }, t4: { at: 12_000 } })
  })

  describe('find the steady state again only by readings that can show it', () => {
    const URL = 'http://prometheus:9090'
    const calm = (more: Parameters<typeof curve>[1]) =>
      curve('calm', { ...more, samples: curve().samples.map((one) => ({ ...one, value: 7, isGood: true })) })
    const every = (ms: number, more: Parameters<typeof monitor>[0] = {}) =>
      monitor({
        source: `${URL}/`,
        scrapeIntervalMs: ms,
        readings: monitor().readings.map((one) => ({
          ...one,
          scrapedAt: Math.floor((one.at - 6_500) / ms) * ms + 6_500,
        })),
        ...more,
      })

    it('of what a Prometheus has scraped since the fault ended', () => {
      const marks = (scraped: ReturnType<typeof every>) =>
        marksOf(thorough, recorded({ curves: [calm({ source: 'prometheus', origin: URL })], monitors: [scraped] }))
      // Scraped at 26.5 s and 36.5 s, which is seen at 36.5 s.
      expect(marks(every(10_000))).toMatchObject({ t5: { at: 37_000, errorMs: 7_000 }, t7: { at: 42_000 } })
      expect(marks(every(10_000, { clock: [] })).t5).toEqual({ at: 37_000, errorMs: 7_000 })
      expect(marks(every(45_000))).not.toHaveProperty('t5')
      // One that does not tell when it scrapes is judged elsewhere.
      expect(marks(every(10_000, { readings: [] })).t5?.at).toBe(30_500)
    })

    it('of a page that has become another one since', () => {
      const page = (staleAfterMs: number | undefined, dataAt: (at: number) => number) => {
        const { samples, ...log } = calm({ source: 'metric', maxAgeMs: staleAfterMs })
        return marksOf(
          thorough,
          recorded({ curves: [{ ...log, samples: samples.map((one) => ({ ...one, dataAt: dataAt(one.at) })) }] }),
        )
      }
      expect(page(15_000, (at) => at).t5).toEqual({ at: 31_000, errorMs: 1_000 })
      // A cache: the page that is read first was perhaps written before.
      expect(page(15_000, (at) => Math.floor(at / 9_000) * 9_000).t5).toEqual({ at: 36_000, errorMs: 6_000 })
      expect(page(60_000, (at) => Math.min(at, 28_000))).not.toHaveProperty('t5')
      expect(page(undefined, (at) => Math.min(at, 28_000)).t5?.at).toBe(30_500)
    })

    it('of a page on which nothing moves but what the fault broke', () => {
      const origin = 'http://app/metrics'
      const [broken, steady] = [10_500, 11_000].map((from) =>
        curve(`from ${from}`, {
          source: 'metric',
          origin,
          samples: curve().samples.map((one) => ({
            ...one,
            isGood: from === 11_000 || one.at < from || one.at > 30_000,
            dataAt: one.at < 10_500 ? 4_000 : one.at <= 30_000 ? 10_500 : 30_500,
          })),
        }),
      ) as [ReturnType<typeof curve>, ReturnType<typeof curve>]
      expect(marksOf(thorough, recorded({ curves: [broken, steady] })).t5).toEqual({ at: 30_500, errorMs: 500 })
      // One that was well all the while may have been written just before the end, and then not be another one for long.
      expect(marksOf(thorough, recorded({ curves: [steady] }))).not.toHaveProperty('t5')
    })

    it('of what was asked for since', () => {
      const slow = calm({ source: 'http' })
      const marks = marksOf(
        thorough,
        recorded({ curves: [{ ...slow, samples: slow.samples.map((one) => ({ ...one, askedAt: one.at - 700 })) }] }),
      )
      expect(marks.t5).toEqual({ at: 31_000, errorMs: 1_000 })
    })
  })

  it.each([
    [
      'a fault is still in force',
      {
        injections: [
          injection(),
          injection({ id: 'other', status: 'active', endedAt: undefined, endedSeenAt: undefined }),
        ],
      },
    ],
    ['more faults are to come', { isMethodDone: false }],
  ] as const)('do not end while %s', (_why, more) => {
    expect(Object.keys(marksOf(thorough, recorded(more)))).toEqual(['t0', 't1', 't2', 't3'])
  })

  it('date the condition by the alert where no probe saw it, as exactly as the rule is looked at', () => {
    expect(
      marksOf(
        thorough,
        recorded({ curves: [curve('stock', { samples: [] })], alerts: [stretch({ activeAt: 12_500 })] }),
      ).t1,
    ).toEqual({ at: 12_505, errorMs: 260 })
    expect(marksOf(thorough, recorded({ curves: [], alerts: [stretch({ activeAt: undefined })] })).t1).toEqual({
      at: 14_000,
      errorMs: 500,
    })
  })

  it('take a notification as proof that its alert fired', () => {
    expect(
      marksOf(
        thorough,
        recorded({ notifications: [{ at: 13_800, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' }] }),
      ),
    ).toMatchObject({ t2: { at: 13_800, errorMs: 0 }, t3: { at: 13_800 } })
  })

  it('pass over alerts and notifications that are not meant', () => {
    const marks = marksOf(
      thorough,
      recorded({
        alerts: [stretch({ labels: {} }), stretch({ name: 'Fire' })],
        notifications: [
          { at: 15_000, name: 'Fire', labels: {}, status: 'firing' },
          { at: 9_000, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' },
        ],
      }),
    )
    expect(marks).not.toHaveProperty('t2')
    expect(marks).not.toHaveProperty('t3')
  })

  it('do not call alerts gone while one still fires', () => {
    expect(
      marksOf(thorough, recorded({ alerts: [stretch(), stretch({ name: 'Fire', to: undefined })] })),
    ).not.toHaveProperty('t6')
  })

  it('are in order, whatever was recorded', () => {
    const at = fc.integer({ min: 0, max: 60_000 })
    const recording = fc.record({
      injections: fc.array(
        fc
          .record({
            landedAt: fc.option(at, { nil: undefined }),
            endedAt: at,
            kind: fc.constantFrom('standing' as const, 'instant' as const),
          })
          .map(injection),
        { maxLength: 3 },
      ),
      isMethodDone: fc.boolean(),
      curves: fc.array(
        fc
          .array(
            fc.record({ at, isGood: fc.boolean() }).map((one) => sample(0, one.at, 1, one.isGood)),
            { maxLength: 30 },
          )
          .map((samples) => curve('stock', { samples: samples.sort((a, b) => a.at - b.at) })),
        { maxLength: 2 },
      ),
      alerts: fc.array(
        fc
          .record({
            from: at,
            activeAt: fc.option(at, { nil: undefined }),
            state: fc.constantFrom('pending' as const, 'firing' as const),
          })
          .chain((one) =>
            fc
              .option(fc.integer({ min: one.from, max: 70_000 }), { nil: undefined })
              .map((to) => stretch({ ...one, to })),
          ),
        { maxLength: 4 },
      ),
      notifications: fc.option(
        fc.array(
          at.map((when) => ({ at: when, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' as const })),
          { maxLength: 2 },
        ),
        { nil: undefined },
      ),
      monitors: fc.constantFrom([], [monitor()]),
      appClock: fc.array(
        fc.record({ at, offsetMs: fc.integer({ min: -5_000, max: 5_000 }), errorMs: fc.integer({ min: 0, max: 900 }) }),
        { maxLength: 3 },
      ),
    })
    const orders: readonly (readonly MarkName[])[] = [
      ['t0', 't1', 't2', 't3'],
      ['t0', 't4', 't5', 't7'],
    ]
    fc.assert(
      fc.property(recording, (seen) => {
        const marks = marksOf(thorough, seen)
        for (const order of orders) {
          const times = order.flatMap((name) => marks[name]?.at ?? [])
          expect(times).toEqual([...times].sort((a, b) => a - b))
        }
        for (const mark of Object.values(marks)) expect(mark.errorMs).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('recovery under the fault', () => {
  const experiment = {
    ...thorough,
    recovery: { withinMs: 20_000, duringFault: { probes: ['stock'], withinMs: 5_000 } },
  }
  const marks = { t0: { at: 10_100, errorMs: 0 }, t4: { at: 30_000, errorMs: 0 } }
  const from = (goodAt: number): Recording =>
    recorded({
      curves: [
        curve('stock', {
          samples: curve().samples.map((sample) => ({ ...sample, isGood: sample.at < 11_000 || sample.at >= goodAt })),
        }),
      ],
    })

  it('is met when the probes hold from their time on until the fault ends', () => {
    expect(recoveredDuringFault(experiment, from(14_000), marks)).toEqual({ isMet: true, afterMs: 3_400 })
  })

  it.each([
    [
      'a probe breaks again',
      recorded({
        curves: [
          curve('stock', { samples: curve().samples.map((sample) => ({ ...sample, isGood: sample.at !== 29_000 })) }),
        ],
      }),
    ],
    ['a probe is back too late', from(16_000)],
  ])('is not met when %s', (_why, seen) => {
    expect(recoveredDuringFault(experiment, seen, marks)).toEqual({ isMet: false, afterMs: undefined })
  })

  it.each([
    ['nobody read it', recorded({ curves: [] }), marks],
    [
      'all readings are from when the fault may have ended already',
      from(15_100),
      { ...marks, t4: { at: 16_000, errorMs: 2_000 } },
    ],
    [
      'a probe is back when it may not have been due yet',
      from(16_000),
      { ...marks, t0: { at: 11_100, errorMs: 1_000 } },
    ],
    [
      'a probe breaks when the fault may have ended already',
      recorded({
        curves: [
          curve('stock', { samples: curve().samples.map((sample) => ({ ...sample, isGood: sample.at !== 29_500 })) }),
        ],
      }),
      { ...marks, t4: { at: 30_000, errorMs: 1_000 } },
    ],
  ])('is in doubt when %s', (_why, seen, known) => {
    expect(recoveredDuringFault(experiment, seen, known)).toEqual({
      isMet: false,
      isDoubtful: true,
      afterMs: undefined,
    })
  })

  it('is not met when the fault did not land or end, and not asked for by default', () => {
    expect(recoveredDuringFault(experiment, from(14_000), {})).toEqual({ isMet: false, afterMs: undefined })
    expect(recoveredDuringFault(thorough, from(14_000), marks)).toBeUndefined()
  })
})
