import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { injection, passingEvidence, stretch, thorough } from '../../test/support.js'
import type { Experiment } from '../model/experiment.js'
import type { AlertStretch, Evidence } from '../evidence/evidence.js'
import { isMeant } from '../model/alerts.js'
import { marksOf } from '../evidence/marks.js'
import { judgeAlerts, type AlertOutcome, type AlertVerdict } from './judge-alerts.js'

const judged = (experiment: Experiment, evidence: Evidence): readonly AlertVerdict[] =>
  judgeAlerts(experiment, evidence, marksOf(experiment, evidence))

const heard = { notifications: undefined }
const withMayFire = (
  mayFire: Experiment['alerts'] extends infer A ? (NonNullable<A> extends { mayFire: infer M } ? M : never) : never,
): Experiment => ({ ...thorough, alerts: { mustFire: [], mayFire, mustNotFire: [], resolveWithinMs: 20_000 } })

describe('an alert that must fire', () => {
  const cases: readonly (readonly [AlertOutcome, string, Partial<Omit<Evidence, 'inventory'>>, RegExp])[] = [
    ['detected', 'fired in time and resolved', {}, /fired after 3900 ms \(deadline 10000 ms\)/],
    [
      'late',
      'fired after its deadline',
      { alerts: [stretch({ from: 21_000 })] },
      /after 10900 ms, expected within 10000 ms/,
    ],
    [
      'monitoring-down',
      'fired in time or late, by what was read',
      { alerts: [stretch({ from: 20_300 })] },
      /9700 ms to 10200 ms after the fault/,
    ],
    ['missed', 'never fired', { alerts: [] }, /never fired/],
    ['missed', 'was pending only', { alerts: [stretch({ state: 'pending' })] }, /pending, but never fired/],
    ['missed', 'fired before the fault only', { alerts: [stretch({ from: 8_000, to: 9_000 })] }, /never fired/],
    ['missed', 'has no rule', { alerts: [], rulesFound: ['Other'] }, /no rule of that name/],
    ['missed', 'has a broken rule', { alerts: [], brokenRules: ['StockLow'] }, /its rule is broken/],
    [
      'wrong-labels',
      'fired with other labels',
      { alerts: [stretch({ labels: { severity: 'warning' } })] },
      /\{severity="warning"\}, expected \{severity="page"\}/,
    ],
    ['silenced', 'was silenced', { alerts: [stretch({ isSilenced: true })] }, /silenced or inhibited/],
    [
      'silenced',
      'was silenced at the one source that knows',
      { alerts: [stretch(), stretch({ source: 'alertmanager', isSilenced: true })] },
      /silenced or inhibited/,
    ],
    [
      'silenced',
      'never reached where alerts are sent',
      {
        alertReadings: [
          ...passingEvidence().alertReadings,
          { source: 'alertmanager', isReceiver: true, succeeded: 86, failed: 0, longestGapMs: 500, problem: undefined },
        ],
      },
      /never reached alertmanager, so nobody was notified/,
    ],
    [
      'detected',
      'reached where alerts are sent',
      {
        alerts: [stretch(), stretch({ source: 'alertmanager' })],
        alertReadings: [
          ...passingEvidence().alertReadings,
          { source: 'alertmanager', isReceiver: true, succeeded: 86, failed: 0, longestGapMs: 500, problem: undefined },
        ],
      },
      /fired after 3900 ms/,
    ],
    ['silenced', 'sent no notification', { notifications: [] }, /no notification arrived/],
    [
      'silenced',
      'sent a notification with other labels',
      { notifications: [{ at: 15_000, name: 'StockLow', labels: { severity: 'warning' }, status: 'firing' }] },
      /no notification arrived/,
    ],
    [
      'late',
      'was heard after its deadline',
      { notifications: [{ at: 20_101, name: 'StockLow', labels: { severity: 'page' }, status: 'firing' }] },
      /fired after 3900 ms and its notification arrived after 10001 ms, expected within 10000 ms/,
    ],
    [
      'detected',
      'was heard just in time, and once more',
      {
        notifications: [20_100, 25_000].map((at) => ({
          at,
          name: 'StockLow',
          labels: { severity: 'page' },
          status: 'firing' as const,
        })),
      },
      /fired after 3900 ms/,
    ],
    ['already-firing', 'was firing before', { firingBefore: ['StockLow'] }, /before anything was broken/],
    [
      'already-firing',
      'began to fire after the gate and before the fault',
      { alerts: [stretch({ from: 9_000 })] },
      /before anything was broken/,
    ],
    [
      'already-firing',
      'was pending before the fault, and fired after it',
      { alerts: [stretch({ state: 'pending', from: 9_000, to: 14_000 }), stretch()] },
      /before anything was broken/,
    ],
    [
      'detected',
      'was pending and gone before the fault',
      { alerts: [stretch({ state: 'pending', from: 8_000, to: 9_000 }), stretch()] },
      /fired after 3900 ms/,
    ],
    [
      'detected',
      'fired between an instant fault and the word that it had landed',
      { injections: [injection({ kind: 'instant', askedAt: 9_000 })], alerts: [stretch({ from: 9_500, to: 29_000 })] },
      /fired after 0 ms/,
    ],
    ['stuck', 'never resolved', { alerts: [stretch({ to: undefined })] }, /had not resolved/],
    ['stuck', 'resolved too late', { alerts: [stretch({ to: 51_000 })] }, /21000 ms after the fault ended/],
    [
      'monitoring-down',
      'resolved in time or late, by what was read',
      { alerts: [stretch({ to: 50_200 })] },
      /readings are too far apart to tell/,
    ],
    ['flapped', 'fired twice', { alerts: [stretch({ to: 20_000 }), stretch({ from: 22_000 })] }, /2 times/],
    ['monitoring-down', 'could not be read', { alerts: [], alertReadings: [] }, /so whether it fired is unknown/],
    ['monitoring-down', 'fired, and nobody saw the fault land', { injections: [] }, /no fault was seen to land/],
  ]
  it.each(cases)('is %s when it %s', (outcome, _when, more, detail) => {
    const [verdict] = judged(thorough, passingEvidence({ ...heard, ...more }))
    expect(verdict).toMatchObject({ name: 'StockLow', mustFire: true, outcome })
    expect(verdict?.detail).toMatch(detail)
  })

  it('is not flapping when several series of it fire', () => {
    const several = [
      stretch({ labels: { severity: 'page', shelf: 'a' } }),
      stretch({ labels: { severity: 'page', shelf: 'b' } }),
      stretch({ source: 'alertmanager' }),
    ]
    expect(judged(thorough, passingEvidence({ ...heard, alerts: several }))).toMatchObject([{ outcome: 'detected' }])
  })

  it('is not flapping when it fires again because something was broken again', () => {
    const again = (askedAt: number): Evidence =>
      passingEvidence({
        ...heard,
        injections: [injection(), injection({ id: 'the-shop:2', askedAt })],
        alerts: [stretch({ to: 20_000 }), stretch({ from: 24_000 })],
      })
    expect(judged(thorough, again(22_000))).toMatchObject([{ outcome: 'detected' }])
    expect(judged(thorough, again(13_000))).toMatchObject([{ outcome: 'flapped' }])
    expect(judged(thorough, again(25_000))).toMatchObject([{ outcome: 'flapped' }])
  })

  it('is unexpected as well in a series with labels that nobody asked for', () => {
    const verdicts = judged(
      thorough,
      passingEvidence({ ...heard, alerts: [stretch(), stretch({ labels: { severity: 'warning' } })] }),
    )
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['detected', 'unexpected'])
  })
})

describe('any other alert', () => {
  it.each([
    ['unexpected', 'is not named', [], {}],
    ['allowed', 'may fire', ['StockLow'], {}],
    ['allowed', 'may fire with such labels', [{ name: 'StockLow', labels: { severity: 'page' } }], {}],
    ['unexpected', 'may fire with other labels only', [{ name: 'StockLow', labels: { severity: 'warning' } }], {}],
    ['stuck', 'may fire, and never resolves', ['StockLow'], { to: undefined }],
    ['stuck', 'may fire, and resolves too late', ['StockLow'], { to: 60_000 }],
  ] as const)('is %s when it %s', (outcome, _when, mayFire, more: Partial<AlertStretch>) => {
    expect(judged(withMayFire([...mayFire]), passingEvidence({ alerts: [stretch(more)] }))).toMatchObject([
      { name: 'StockLow', mustFire: false, outcome },
    ])
  })

  it('does not count while it is pending, or when it was over before the method began', () => {
    const alerts = [stretch({ name: 'A', state: 'pending' }), stretch({ name: 'B', from: 1_000, to: 9_000 })]
    expect(judged(withMayFire([]), passingEvidence({ alerts }))).toEqual([])
  })

  it('is already-firing when it was active before anything was broken', () => {
    expect(
      judged(thorough, passingEvidence({ ...heard, firingBefore: ['Fire'] })).map(({ name, outcome }) => [
        name,
        outcome,
      ]),
    ).toEqual([
      ['StockLow', 'detected'],
      ['Fire', 'already-firing'],
    ])
  })
})

it('judges ten thousand series of an alert in as many steps, not in their square', () => {
  const series = Array.from({ length: 10_000 }, (_, index) => ({ severity: 'page', shard: String(index) }))
  const alerts = series.flatMap((labels) => [
    stretch({ labels, state: 'pending', from: 11_500, to: 14_000 }),
    stretch({ labels }),
    stretch({ labels, name: 'Fire' }),
  ])
  const entries = vi.spyOn(Object, 'entries')
  const verdicts = judged(thorough, passingEvidence({ alerts }))
  const { length } = entries.mock.calls
  entries.mockRestore()
  expect(verdicts).toMatchObject([
    { name: 'StockLow', outcome: 'detected' },
    { name: 'Fire', outcome: 'unexpected' },
  ])
  expect(length).toBeLessThan(1_000_000)
})

describe('matching labels', () => {
  const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))

  it('holds exactly when every label asked for is there, and whatever is more', () => {
    fc.assert(
      fc.property(labels, labels, (has, wants) => {
        const expected = Object.entries(wants).every(([name, value]) => Object.hasOwn(has, name) && has[name] === value)
        expect(isMeant({ name: 'A', labels: has }, { name: 'A', labels: wants })).toBe(expected)
        expect(isMeant({ name: 'A', labels: { ...has, ...wants } }, { name: 'A', labels: wants })).toBe(true)
        expect(isMeant({ name: 'A', labels: has }, { name: 'B', labels: wants })).toBe(false)
        expect(isMeant({ name: 'A', labels: has }, 'A')).toBe(true)
      }),
    )
  })
})
