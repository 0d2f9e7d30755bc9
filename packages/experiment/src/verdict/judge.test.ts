import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { curve, injection, passingEvidence, stretch, thorough } from '../../test/support.js'
import { defineExperiment } from '../model/define.js'
import type { Experiment } from '../model/experiment.js'
import type { Evidence, MarkName } from '../run/evidence.js'
import { EXIT_CODES, exitCodeOf, type VerdictName } from './exit-codes.js'
import { judge } from './judge.js'

const probes = thorough.steadyState.probes
const control = defineExperiment({ title: 'nothing', steadyState: { probes }, method: [{ waitMs: 20_000 }], alerts: {} })
const quiet = (more: Partial<Evidence> = {}): Evidence =>
  passingEvidence({
    injections: [],
    marks: {},
    alerts: [],
    breached: [],
    afterwards: [],
    curves: [curve('stock', { samples: curve().samples.map((sample) => ({ ...sample, value: 7, isGood: true })) })],
    ...more,
  })
const without = (name: MarkName): Evidence['marks'] => Object.fromEntries(Object.entries(passingEvidence().marks).filter(([key]) => key !== name))
const bad = { at: 45_000, value: 3, isGood: false }

describe('a run that shows everything', () => {
  const verdict = judge(thorough, passingEvidence())

  it('passes, and says what was seen', () => {
    expect(verdict).toMatchObject({ name: 'pass', cause: 'The fault landed, the alert fired in time and resolved, and the steady state had held again 6500 ms after its end.' })
  })

  it('counts detection from the landing, and recovery from the end of the fault until the steady state had held', () => {
    expect(verdict).toMatchObject({ timeToDetectMs: 3_900, timeToRecoverMs: 6_500, recovery: 'by-itself' })
  })
})

describe('verdicts by cause', () => {
  const cases: readonly (readonly [string, VerdictName, Partial<Evidence>, RegExp, Experiment?])[] = [
    ['something could not be taken back', 'rollback-failed', { rollbackFailures: ['the-shop:1: locked'], brokenOff: 'it was aborted' }, /taken back: the-shop:1: locked/],
    ['a guardrail tripped', 'guardrail-tripped', { guardrail: { name: 'orders', value: 3, bounds: '> 10' } }, /orders was 3, expected > 10/],
    ['a guardrail could not be read', 'guardrail-tripped', { guardrail: { name: 'orders', value: undefined, bounds: '> 10' } }, /without data/],
    ['it was broken off', 'inconclusive', { brokenOff: 'it was aborted' }, /broken off: it was aborted/],
    ['the machine is too slow', 'inconclusive', { untrusted: 'the load was 300 ms late', gate: { isMet: false } }, /300 ms late/],
    ['the steady state did not hold before', 'gate-unmet', { gate: { isMet: false, problem: 'stock was 0' } }, /stock was 0/],
    ['its alert was active before', 'inconclusive', { firingBefore: ['StockLow'] }, /StockLow was active before/],
    ['another alert was firing before', 'inconclusive', { firingBefore: ['Fire'] }, /Fire was active before/],
    ['the fault was refused', 'fault-did-not-land', { failures: ['empty-shelves into shop: no'], injections: [] }, /into shop: no/],
    ['the fault hit nothing', 'fault-did-not-land', { injections: [injection({ landedAt: undefined, affected: 0, seen: 12 })] }, /hit nothing in shop: 0 of 12/],
    ['the fault failed after its first hit', 'fault-did-not-land', { injections: [injection({ outcome: 'failed' })] }, /hit nothing/],
    ['an injection is not known', 'fault-did-not-land', { injections: [] }, /Of 1 faults of the method, 0/],
    ['nobody saw the fault end', 'inconclusive', { marks: without('t4') }, /Nobody saw the fault end/],
    ['it did not recover', 'weakness-found', { marks: without('t7'), curves: [curve('stock', { samples: [...curve().samples, { at: 47_000, value: 0, isGood: false }] })] }, /20000 ms after the fault had ended: stock was 0, expected > 0/],
    ['it recovered for moments only', 'weakness-found', { marks: without('t7') }, /broke again each time/],
    ['a probe of the system gives no data any more', 'weakness-found', { marks: without('t7'), curves: [curve('stock', { samples: [...curve().samples, { at: 47_000, value: undefined, isGood: false, problem: 'refused' }] })] }, /without data \(refused\)/],
    ['only the monitoring cannot say whether it recovered', 'inconclusive', { marks: without('t7'), curves: [curve('stock', { source: 'prometheus', samples: [...curve().samples, { at: 47_000, value: undefined, isGood: false, problem: 'refused' }] })] }, /Nobody can say whether it recovered/],
    ['it recovered too late', 'weakness-found', { marks: { ...passingEvidence().marks, t7: { at: 50_001, errorMs: 500 } } }, /20001 ms to recover, expected 20000 ms/],
    ['something was lost', 'weakness-found', { afterwards: [{ name: 'orders lost', bounds: '= 0', sample: bad }] }, /orders lost was 3 afterwards, expected = 0/],
    ['nobody can say whether something was lost', 'inconclusive', { afterwards: [{ name: 'orders lost', bounds: '= 0', sample: { at: 1, value: undefined, isGood: false, problem: 'refused' } }] }, /could not be read afterwards: refused/],
    ['a probe breached that had no leave to', 'weakness-found', {}, /stock left its bounds, which this fault should not cause/, { ...thorough, steadyState: { ...thorough.steadyState, mayBreach: [] } }],
    ['a probe breached that may', 'pass', {}, /The fault landed/, { ...thorough, steadyState: { ...thorough.steadyState, mayBreach: ['stock'] } }],
    ['it did not recover under the fault', 'weakness-found', { recoveredDuringFault: { isMet: false, afterMs: undefined } }, /stock did not hold from 3000 ms/, { ...thorough, recovery: { withinMs: 20_000, duringFault: { probes: ['stock'], withinMs: 3_000 } } }],
    ['nobody looked whether it recovered under the fault', 'weakness-found', {}, /stock did not hold/, { ...thorough, recovery: { withinMs: 20_000, duringFault: { probes: ['stock'], withinMs: 3_000 } } }],
    ['the alert did not fire', 'alert-failed', { alerts: [] }, /StockLow missed: It never fired/],
    ['another alert fired', 'alert-failed', { alerts: [stretch({ state: 'pending', from: 11_500, to: 14_000 }), stretch(), stretch({ name: 'Fire' })] }, /Fire unexpected/],
    ['the monitoring was down', 'inconclusive', { alerts: [], alertReadings: [{ source: 'the test', succeeded: 0, failed: 40, longestGapMs: 40_000, problem: 'refused' }] }, /could not be read/],
    ['the monitoring was down for a while', 'inconclusive', { alertReadings: [{ source: 'the test', succeeded: 40, failed: 40, longestGapMs: 10_001, problem: 'refused' }] }, /Alerts could not be read \(refused\)/],
    ['one of two sources was down', 'inconclusive', { alertReadings: [...passingEvidence().alertReadings, { source: 'other', succeeded: 0, failed: 3, longestGapMs: 1, problem: undefined }] }, /Alerts could not be read/],
    ['the method was not done', 'inconclusive', { isMethodDone: false }, /not done to its end/],
    ['a probe was not read any more', 'inconclusive', { curves: [curve('stock', { samples: curve().samples.filter(({ at }) => at < 10_000) })] }, /stock was never read/],
  ]

  it.each(cases.map(([title, name, more, cause, experiment = thorough]) => ({ title, name, more, cause, experiment })))('$title: $name', ({ name, more, cause, experiment }) => {
    const verdict = judge(experiment, passingEvidence(more))
    expect(verdict.name).toBe(name)
    expect(verdict.cause).toMatch(cause)
    expect(verdict.cause).toMatch(/\.$/)
  })

  it('says that recovery was assisted when somebody stopped the fault early', () => {
    for (const outcome of ['stopped', 'rolled-back', 'aborted'] as const) expect(judge(thorough, passingEvidence({ injections: [injection({ outcome })] }))).toMatchObject({ name: 'pass', recovery: 'assisted', cause: expect.stringContaining('somebody stopped it') as string })
    for (const outcome of ['lease-expired', 'limit-spent'] as const) expect(judge(thorough, passingEvidence({ injections: [injection({ outcome })] })).recovery).toBe('by-itself')
  })

  it('does not speak of recovery where the run was ended before it could be seen', () => {
    expect(judge(thorough, passingEvidence({ brokenOff: 'it was aborted' })).recovery).toBe('not-observed')
    expect(judge(thorough, passingEvidence({ marks: without('t7') })).recovery).toBe('not-recovered')
  })
})

describe('a control run', () => {
  it('passes when the steady state held and no alert fired', () => {
    expect(judge(control, quiet())).toMatchObject({ name: 'pass', cause: 'Nothing was broken, the steady state held, and no alert fired.', recovery: 'not-observed' })
  })

  const cases: readonly (readonly [string, VerdictName, Partial<Evidence>])[] = [
    ['an alert fires', 'alert-failed', { alerts: [stretch()] }],
    ['a probe leaves its bounds', 'weakness-found', { breached: ['stock'], curves: [curve()] }],
    ['a probe gives no data', 'inconclusive', { breached: ['stock'], curves: [curve('stock', { samples: [{ at: 11_000, value: undefined, isGood: false }] })] }],
    ['alerts were not read', 'inconclusive', { alertReadings: [] }],
    ['probes were not read', 'inconclusive', { curves: [] }],
    ['the gate was not met', 'gate-unmet', { gate: { isMet: false } }],
  ]
  it.each(cases)('does not pass when %s: %s', (_title, name, more) => {
    expect(judge(control, quiet(more)).name).toBe(name)
  })

  it('says so when alerts were no part of it', () => {
    const { alerts: _alerts, ...deaf } = control
    expect(judge(deaf, quiet({ alertReadings: [] }))).toMatchObject({ name: 'pass', cause: expect.stringContaining('alerts were not watched') as string })
  })
})

describe('missing evidence is never a pass', () => {
  const whole = passingEvidence()
  const pieces: readonly (readonly [string, Partial<Evidence>])[] = [
    ...(Object.keys(whole.marks) as MarkName[]).map((name) => [`mark ${name}`, { marks: without(name) }] as const),
    ['the gate', { gate: { isMet: false } }],
    ['the beginning of the method', { methodAt: undefined }],
    ['the end of the method', { isMethodDone: false }],
    ['the injection', { injections: [] }],
    ['its landing', { injections: [injection({ landedAt: undefined })] }],
    ['the curve', { curves: [] }],
    ['its readings', { curves: [curve('stock', { samples: [] })] }],
    ['what fired', { alerts: whole.alerts.filter(({ state }) => state === 'pending') }],
    ['what was read of alerts', { alerts: [] }],
    ['that alerts were read', { alertReadings: [] }],
    ['every notification', { notifications: [] }],
    ['the reading afterwards', { afterwards: [] }],
    ['that the alert resolved', { alerts: [stretch({ to: undefined })] }],
  ]

  it.each(pieces)('%s', (_name, more) => {
    expect(judge(thorough, passingEvidence(more)).name).not.toBe('pass')
  })

  it('whatever else is missing too', () => {
    fc.assert(
      fc.property(fc.subarray(pieces.slice(), { minLength: 1 }), (missing) => {
        const evidence = missing.reduce<Evidence>((left, [, more]) => ({ ...left, ...more, ...('marks' in more ? { marks: Object.fromEntries(Object.entries(left.marks).filter(([name]) => name in (more.marks ?? {}))) } : {}) }), whole)
        expect(judge(thorough, evidence).name).not.toBe('pass')
      }),
    )
  })
})

describe('the verdict function', () => {
  const mark = fc.option(fc.record({ at: fc.integer({ min: 0, max: 60_000 }), errorMs: fc.integer({ min: 0, max: 500 }) }), { nil: undefined })
  const evidence = fc
    .record({
      gate: fc.constantFrom({ isMet: true }, { isMet: false }),
      methodAt: fc.constantFrom(undefined, 10_000),
      isMethodDone: fc.boolean(),
      injections: fc.constantFrom([], [injection()], [injection({ landedAt: undefined })], [injection({ outcome: 'failed' })]),
      curves: fc.constantFrom([], [curve()]),
      alerts: fc.array(fc.record({ state: fc.constantFrom('pending' as const, 'firing' as const), from: fc.integer({ min: 0, max: 50_000 }), to: fc.constantFrom(undefined, 55_000), name: fc.constantFrom('StockLow', 'Restocking', 'Fire'), isSilenced: fc.boolean() }).map(stretch), { maxLength: 4 }),
      alertReadings: fc.constantFrom([], passingEvidence().alertReadings),
      notifications: fc.constantFrom(undefined, [], passingEvidence().notifications),
      marks: fc.record({ t0: mark, t1: mark, t2: mark, t3: mark, t4: mark, t5: mark, t6: mark, t7: mark }).map((marks) => Object.fromEntries(Object.entries(marks).filter(([, value]) => value !== undefined))),
      afterwards: fc.constantFrom([], passingEvidence().afterwards),
      brokenOff: fc.constantFrom(undefined, 'it was aborted'),
      rollbackFailures: fc.constantFrom([], ['locked']),
    })
    .map((parts) => passingEvidence(parts as Partial<Evidence>))

  it('is total: any evidence has a verdict with a cause and an exit code of its own', () => {
    fc.assert(
      fc.property(fc.constantFrom(thorough, control), evidence, (experiment, seen) => {
        const verdict = judge(experiment, seen)
        expect(EXIT_CODES).toHaveProperty(verdict.name)
        expect(verdict.cause).toMatch(/^\S.*\.$/s)
      }),
    )
  })

  it('passes only what landed, was detected and recovered', () => {
    const whole = passingEvidence()
    let passes = 0
    fc.assert(
      fc.property(evidence, fc.subarray(Object.keys(whole) as (keyof Evidence)[]), (other, taken) => {
        const seen = { ...whole, ...Object.fromEntries(taken.map((key) => [key, other[key]])) }
        const verdict = judge(thorough, seen)
        if (verdict.name !== 'pass') return
        passes += 1
        expect(verdict.alerts.every(({ outcome }) => outcome === 'detected' || outcome === 'allowed')).toBe(true)
        expect(Object.keys(seen.marks)).toEqual(expect.arrayContaining(['t0', 't1', 't2', 't4', 't5', 't6', 't7']))
        expect([seen.gate.isMet, seen.isMethodDone, seen.brokenOff, seen.rollbackFailures]).toEqual([true, true, undefined, []])
      }),
      { numRuns: 500 },
    )
    expect(passes).toBeGreaterThan(0)
  })

  it('gives each verdict an exit code of its own, and leaves 1 and 2 to errors', () => {
    const codes = Object.values(EXIT_CODES)
    expect(new Set(codes).size).toBe(codes.length)
    expect(codes).not.toContain(1)
    expect(codes).not.toContain(2)
    expect(exitCodeOf({ name: 'pass' })).toBe(0)
    expect(exitCodeOf({ name: 'alert-failed' })).toBe(13)
  })
})
