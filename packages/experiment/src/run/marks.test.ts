import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curve, injection, passingEvidence, stretch, thorough } from '../../test/support.js'
import type { MarkName } from './evidence.js'
import { breachedSince, marksOf, recoveredDuringFault, type Recording } from './marks.js'

const recorded = (more: Partial<Recording> = {}): Recording => {
  const { injections, curves, alerts, notifications } = passingEvidence()
  return { injections, curves, alerts, notifications, isMethodDone: true, ruleIntervalMs: 250, ...more }
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
    expect(marksOf(thorough, recorded({ injections: [injection({ landedAt: undefined })] }))).toEqual({})
  })

  it('say how far the landing contradicts our own clock', () => {
    expect(marksOf(thorough, recorded({ injections: [injection({ landedErrorMs: 40 })] })).t0).toEqual({ at: 10_100, errorMs: 40 })
  })

  it('take an instant fault as over when it landed, and the last of several', () => {
    const kill = injection({ kind: 'instant', outcome: 'completed', landedAt: 10_100, endedAt: 10_400 })
    expect(marksOf(thorough, recorded({ injections: [kill] })).t4).toEqual({ at: 10_100, errorMs: 0 })
    expect(marksOf(thorough, recorded({ injections: [kill, injection({ kind: 'instant', id: 'again', landedAt: 12_000 })] }))).toMatchObject({ t0: { at: 10_100 }, t4: { at: 12_000 } })
  })

  it.each([
    ['a fault is still in force', { injections: [injection(), injection({ id: 'other', status: 'active', endedAt: undefined })] }],
    ['more faults are to come', { isMethodDone: false }],
  ] as const)('do not end while %s', (_why, more) => {
    expect(Object.keys(marksOf(thorough, recorded(more)))).toEqual(['t0', 't1', 't2', 't3'])
  })

  it('date the condition by the alert where no probe saw it, as exactly as the rule is looked at', () => {
    expect(marksOf(thorough, recorded({ curves: [curve('stock', { samples: [] })], alerts: [stretch({ activeAt: 12_500 })] })).t1).toEqual({ at: 12_500, errorMs: 250 })
    expect(marksOf(thorough, recorded({ curves: [], alerts: [stretch({ activeAt: undefined })] })).t1).toEqual({ at: 14_000, errorMs: 500 })
  })

  it('take a notification as proof that its alert fired', () => {
    expect(marksOf(thorough, recorded({ notifications: [{ at: 13_800, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' }] }))).toMatchObject({ t2: { at: 13_800, errorMs: 0 }, t3: { at: 13_800 } })
  })

  it('pass over alerts and notifications that are not meant', () => {
    const marks = marksOf(thorough, recorded({ alerts: [stretch({ labels: {} }), stretch({ name: 'Fire' })], notifications: [{ at: 15_000, name: 'Fire', labels: {}, status: 'firing' }, { at: 9_000, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' }] }))
    expect(marks).not.toHaveProperty('t2')
    expect(marks).not.toHaveProperty('t3')
  })

  it('do not call alerts gone while one still fires', () => {
    expect(marksOf(thorough, recorded({ alerts: [stretch(), stretch({ name: 'Fire', to: undefined })] }))).not.toHaveProperty('t6')
  })

  it('are in order, whatever was recorded', () => {
    const at = fc.integer({ min: 0, max: 60_000 })
    const recording = fc.record({
      injections: fc.array(fc.record({ landedAt: fc.option(at, { nil: undefined }), endedAt: at, kind: fc.constantFrom('standing' as const, 'instant' as const) }).map(injection), { maxLength: 3 }),
      isMethodDone: fc.boolean(),
      curves: fc.array(fc.array(fc.record({ at, isGood: fc.boolean(), value: fc.constant(1) }), { maxLength: 30 }).map((samples) => curve('stock', { samples: samples.sort((a, b) => a.at - b.at) })), { maxLength: 2 }),
      alerts: fc.array(fc.record({ from: at, activeAt: fc.option(at, { nil: undefined }), state: fc.constantFrom('pending' as const, 'firing' as const) }).chain((one) => fc.option(fc.integer({ min: one.from, max: 70_000 }), { nil: undefined }).map((to) => stretch({ ...one, to }))), { maxLength: 4 }),
      notifications: fc.option(fc.array(at.map((when) => ({ at: when, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' as const })), { maxLength: 2 }), { nil: undefined }),
      ruleIntervalMs: fc.constant(250),
    })
    const orders: readonly (readonly MarkName[])[] = [['t0', 't1', 't2', 't3'], ['t0', 't4', 't5', 't7']]
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
  const experiment = { ...thorough, recovery: { withinMs: 20_000, duringFault: { probes: ['stock'], withinMs: 5_000 } } }
  const marks = { t0: { at: 10_100, errorMs: 0 }, t4: { at: 30_000, errorMs: 0 } }
  const from = (goodAt: number): Recording => recorded({ curves: [curve('stock', { samples: curve().samples.map((sample) => ({ ...sample, isGood: sample.at < 11_000 || sample.at >= goodAt })) })] })

  it('is met when the probes hold from their time on until the fault ends', () => {
    expect(recoveredDuringFault(experiment, from(14_000), marks)).toEqual({ isMet: true, afterMs: 3_400 })
  })

  it.each([
    ['a probe breaks again', recorded({ curves: [curve('stock', { samples: curve().samples.map((sample) => ({ ...sample, isGood: sample.at !== 29_000 })) })] })],
    ['a probe is back too late', from(16_000)],
    ['nobody read it', recorded({ curves: [] })],
  ])('is not met when %s', (_why, seen) => {
    expect(recoveredDuringFault(experiment, seen, marks)).toEqual({ isMet: false, afterMs: undefined })
  })

  it('is not met when the fault did not land or end, and not asked for by default', () => {
    expect(recoveredDuringFault(experiment, from(14_000), {})).toEqual({ isMet: false, afterMs: undefined })
    expect(recoveredDuringFault(thorough, from(14_000), marks)).toBeUndefined()
  })
})

it('names the probes that left their bounds from a moment on', () => {
  const curves = [curve('a'), curve('b', { samples: [{ at: 5_000, value: 0, isGood: false }] })]
  expect(breachedSince(curves, 10_000)).toEqual(['a'])
  expect(breachedSince(curves, 0)).toEqual(['a', 'b'])
})
