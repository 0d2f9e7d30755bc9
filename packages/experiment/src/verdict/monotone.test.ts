import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  curve,
  injection,
  load,
  monitor,
  passingEvidence,
  sample,
  sealed,
  stretch,
  thorough,
} from '../../test/support.js'
import { inventoryOf, type Curve, type Evidence } from '../evidence/evidence.js'
import { judge } from './judge.js'

/** Each law is tried on few runs here, and on many in the soak of laws. */
const MANY = { quick: 3, whole: 30 }[process.env['CHAOS_SOAK'] ?? ''] ?? 1

type Parts = Omit<Evidence, 'inventory'>
const passes = (evidence: Evidence): boolean => judge(thorough, evidence).name === 'pass'
const within = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
/** Mostly one value, now and then another: most evidence has one or two things wrong with it, as most runs have. */
const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

/** A curve that is bad from 11 s on until `back`, and at some other moments. */
const curves = fc
  .record({
    back: mostly(31_000, within(20_000, 45_000)),
    blips: mostly<readonly number[]>([], fc.array(within(0, 84), { maxLength: 3 })),
  })
  .map(({ back, blips }) =>
    curve('stock', {
      samples: curve().samples.map((one) =>
        blips.includes(one.n) || (one.at >= 11_000 && one.at <= back)
          ? { ...one, value: 0, isGood: false }
          : { ...one, value: 7, isGood: true },
      ),
    }),
  )
const { guards } = passingEvidence()
const guarded = mostly(
  guards,
  within(0, 84).map((bad) =>
    guards.map((log) => ({
      ...log,
      samples: log.samples.map((one) => (one.n === bad ? { ...one, value: 1, isGood: false } : one)),
    })),
  ),
)
const fire = stretch({ name: 'Fire' })
const pending = stretch({ state: 'pending', from: 11_500, to: 14_000 })
const alerts = mostly(
  [pending, stretch()],
  fc.constantFrom(
    [pending, stretch({ from: 19_900 })],
    [pending, stretch({ from: 21_000 })],
    [pending, stretch(), fire],
    [stretch({ from: 9_000, activeAt: 8_900 })],
    [],
    [pending, stretch({ to: 50_100 })],
    [pending, stretch({ to: undefined })],
    [pending, stretch({ isSilenced: true })],
  ),
)
const loads = mostly(
  load(),
  fc.constantFrom(
    load(({ at }) => ({ lost: at > 30_000 ? 2 : 0 })),
    load(({ at }) => ({ oldestUnderWayMs: at > 20_000 ? 11_000 : 10 })),
    load(({ at }) => (at > 31_000 ? { acknowledged: 310 } : {})),
    load(() => ({ ownDelayMs: 400 })),
    load(({ at }) => (at > 12_000 ? { requests: 240, underWay: 0 } : {})),
  ),
)
const injections = mostly(
  [injection()],
  fc.constantFrom(
    [injection({ outcome: 'stopped' })],
    [injection({ outcome: 'failed' })],
    [injection({ landedAt: undefined, landedSeenAt: undefined })],
    [injection({ endedSeenAt: 36_000 })],
    [injection({ landedAt: 9_000 })],
    [],
  ),
)
const appClock = mostly(
  passingEvidence().appClock,
  fc.constantFrom(
    [],
    [{ at: 4_000, offsetMs: 0, errorMs: 1_500 }],
    [
      { at: 4_000, offsetMs: 0, errorMs: 5 },
      { at: 20_000, offsetMs: 900, errorMs: 5 },
    ],
  ),
)
const monitors = mostly(
  [monitor()],
  fc.constantFrom(
    [],
    [monitor({ readings: monitor().readings.map((one) => ({ ...one, evaluatedAt: Math.min(one.at, 20_000) })) })],
    [monitor({ readings: monitor().readings.map((one) => ({ ...one, evaluatedAt: undefined })) })],
  ),
)
const evidences: fc.Arbitrary<Evidence> = fc
  .record({
    curves: curves.map((one) => [one]),
    guards: guarded,
    alerts,
    load: loads,
    injections,
    appClock,
    monitors,
    rollbackFailures: mostly<readonly string[]>([], fc.constant(['locked'])),
    failures: mostly<readonly string[]>([], fc.constant(['refused'])),
    brokenOff: mostly<string | undefined>(undefined, fc.constant('aborted')),
    notifications: mostly<Evidence['notifications']>(passingEvidence().notifications, fc.constantFrom([], undefined)),
    firingBefore: mostly<readonly string[]>([], fc.constant(['StockLow'])),
    afterwards: mostly(
      passingEvidence().afterwards,
      fc.constantFrom([], [{ name: 'orders left', bounds: '= 0', sample: sample(0, 46_500, 4, false) }]),
    ),
  })
  .map((parts) => passingEvidence(parts as Partial<Parts>))

/** A place of a piece of evidence, an entry of a list or a key, found by going down from the whole. */
function placeIn(value: unknown, picks: readonly number[]): readonly string[] {
  const [pick, ...rest] = picks
  if (typeof value !== 'object' || value === null || pick === undefined) return []
  const keys = Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [key]))
  const key = keys[pick % keys.length]
  return key === undefined ? [] : [key, ...placeIn(Reflect.get(value, key), rest)]
}

function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value
  if (Array.isArray(value))
    return rest.length === 0
      ? value.filter((_, index) => index !== Number(key))
      : value.map((one: unknown, index) => (index === Number(key) ? without(one, rest) : one))
  const { [key]: part, ...others } = value as Record<string, unknown>
  return rest.length === 0 ? others : { ...others, [key]: without(part, rest) }
}

it('passes only whole evidence: whatever is removed from it, the verdict is never a pass', () => {
  fc.assert(
    fc.property(evidences, fc.array(within(0, 999), { minLength: 1, maxLength: 7 }), (evidence, picks) => {
      const place = placeIn(evidence, picks)
      expect([place, passes(without(evidence, place) as Evidence)]).toEqual([place, false])
    }),
    { numRuns: 100 * MANY },
  )
})

const every = <T>(list: readonly T[], change: (one: T) => Partial<T>, from: number, count: number): T[] =>
  list.map((one, index) => (index >= from && index < from + count ? { ...one, ...change(one) } : one))
const gapped = (log: Curve, from: number, count: number): Curve => ({
  ...log,
  samples: log.samples.filter((_, index) => index < from || index >= from + count).map((one, n) => ({ ...one, n })),
})

/** What less evidence looks like where a run could not collect it: nothing is out of place, there is less of it, or it is older or vaguer. */
const lesser: Readonly<Record<string, fc.Arbitrary<(evidence: Parts) => Partial<Parts>>>> = {
  'a probe gave no data for some readings': fc
    .tuple(within(0, 84), within(1, 20))
    .map(([from, count]) => ({ curves }) => ({
      curves: curves.map((log) => ({
        ...log,
        samples: every(log.samples, () => ({ value: undefined, isGood: false, quality: 'none' as const }), from, count),
      })),
    })),
  'a guardrail gave no data': within(0, 84).map((from) => ({ guards: logs }) => ({
    guards: logs.map((log) => ({
      ...log,
      samples: every(log.samples, () => ({ value: undefined, isGood: false, quality: 'none' as const }), from, 1),
    })),
  })),
  'a probe was not read for a while': fc.tuple(within(0, 84), within(9, 40)).map(([from, count]) => ({ curves }) => ({
    curves: curves.map((log) => gapped(log, from, count)),
  })),
  'a guardrail was not read for a while': fc
    .tuple(within(0, 84), within(9, 40))
    .map(([from, count]) => ({ guards: logs }) => ({ guards: logs.map((log) => gapped(log, from, count)) })),
  'what a probe read was old': fc
    .tuple(within(0, 84), within(1, 40), within(0, 60_000))
    .map(([from, count, ageMs]) => ({ curves }) => ({
      curves: curves.map((log) => ({
        ...log,
        samples: every(log.samples, (one) => ({ dataAt: one.at - ageMs }), from, count),
      })),
    })),
  'alerts were not read for a while': fc
    .tuple(within(4_000, 46_000), within(10_001, 30_000))
    .map(([from, gapMs]) => ({ alerts: seen, alertReadings }) => ({
      alerts: seen.filter((one) => one.from < from || (one.to ?? 1e9) > from + gapMs),
      alertReadings: alertReadings.map((one) => ({ ...one, longestGapMs: gapMs })),
    })),
  'no source of alerts could be read': fc.constant(() => ({
    alerts: [],
    alertReadings: [{ source: 'the test', succeeded: 0, failed: 86, longestGapMs: 43_000, problem: 'refused' }],
  })),
  'an alert was read later': within(1, 9_000).map((ms) => ({ alerts: seen }) => ({
    alerts: seen.map((one) =>
      one.state === 'firing' ? { ...one, from: one.from + ms, fromErrorMs: one.fromErrorMs + ms } : one,
    ),
  })),
  'the end of an alert was read later': within(1, 9_000).map((ms) => ({ alerts: seen }) => ({
    alerts: seen.map((one) =>
      one.state === 'firing' && one.to !== undefined ? { ...one, to: one.to + ms, toErrorMs: one.toErrorMs + ms } : one,
    ),
  })),
  'nobody knows when a condition began': fc.constant(({ alerts: seen }) => ({
    alerts: seen.map((one) => ({ ...one, activeAt: undefined })),
  })),
  'a notification was lost': within(0, 1).map((lost) => ({ notifications }) => ({
    notifications: notifications?.filter((_, index) => index !== lost),
  })),
  'no monitoring was looked at': fc.constant(() => ({ monitors: [] })),
  'the monitoring did not say when it evaluated': fc.constant(({ monitors: all }) => ({
    monitors: all.map((one) => ({
      ...one,
      readings: one.readings.map((reading) => ({ ...reading, evaluatedAt: undefined })),
    })),
  })),
  'the monitoring evaluated longer ago': within(1, 60_000).map((ageMs) => ({ monitors: all }) => ({
    monitors: all.map((one) => ({
      ...one,
      readings: one.readings.map((reading) => ({
        ...reading,
        evaluatedAt: reading.evaluatedAt === undefined ? undefined : reading.evaluatedAt - ageMs,
      })),
    })),
  })),
  'the monitoring was not looked at for a while': fc
    .tuple(within(0, 42), within(1, 40))
    .map(([from, count]) => ({ monitors: all }) => ({
      monitors: all.map((one) => ({
        ...one,
        readings: one.readings.filter((_, index) => index < from || index >= from + count),
      })),
    })),
  'the clock of the app was read less often': within(0, 5).map((count) => ({ appClock: readings }) => ({
    appClock: readings.slice(count),
  })),
  'the clock of the app was read badly': within(1, 20_000).map((ms) => ({ appClock: readings }) => ({
    appClock: readings.map((one) => ({ ...one, errorMs: one.errorMs + ms })),
  })),
  'the clock of the monitoring was not read': fc.constant(({ monitors: all }) => ({
    monitors: all.map((one) => ({ ...one, clock: [] })),
  })),
  'the end of the fault was seen later': within(1, 15_000).map((ms) => ({ injections: all }) => ({
    injections: all.map((one) => (one.endedSeenAt === undefined ? one : { ...one, endedSeenAt: one.endedSeenAt + ms })),
  })),
  'the landing was seen later': within(1, 15_000).map((ms) => ({ injections: all }) => ({
    injections: all.map((one) =>
      one.landedSeenAt === undefined ? one : { ...one, landedSeenAt: one.landedSeenAt + ms },
    ),
  })),
  'nobody saw the fault land': fc.constant(({ injections: all }) => ({
    injections: all.map((one) => ({ ...one, landedAt: undefined, landedSeenAt: undefined })),
  })),
  'nobody saw the fault end': fc.constant(({ injections: all }) => ({
    injections: all.map((one) => ({ ...one, status: 'active' as const, endedAt: undefined, endedSeenAt: undefined })),
  })),
  'an injection was lost': fc.constant(() => ({ injections: [] })),
  'the load was not read for a while': fc.tuple(within(0, 84), within(11, 60)).map(
    ([from, count]) =>
      ({ load: seen }) =>
        seen === undefined
          ? {}
          : { load: { ...seen, readings: seen.readings.filter((_, index) => index < from || index >= from + count) } },
  ),
  'the load could not be read': fc.tuple(within(0, 84), within(11, 60)).map(
    ([from, count]) =>
      ({ load: seen }) =>
        seen === undefined
          ? {}
          : {
              load: {
                ...seen,
                readings: every(seen.readings, () => ({ report: undefined, problem: 'refused' }), from, count),
              },
            },
  ),
  'the load did not look at the end': fc.constant(({ load: seen }) =>
    seen === undefined ? {} : { load: { ...seen, final: undefined } },
  ),
  'the load looked at less': fc.constant(({ load: seen }) =>
    seen?.final?.report === undefined
      ? {}
      : { load: { ...seen, final: { ...seen.final, report: { ...seen.final.report, verified: 3 } } } },
  ),
  'the load did not report on itself': fc.constant(() => ({ load: undefined })),
  'a reading afterwards gave nothing': fc.constant(({ afterwards }) => ({
    afterwards: afterwards.map((one) => ({ ...one, sample: { ...one.sample, value: undefined, isGood: false } })),
  })),
  'there was no reading afterwards': fc.constant(() => ({ afterwards: [] })),
  'the run was stopped for a while': within(1, 30).map((count) => ({ own }) => ({
    own: own.filter((_, index) => index < 10 || index >= 10 + count),
  })),
}

it.each(Object.entries(lesser))('less evidence never makes a better verdict: %s', (_what, change) => {
  let passed = 0
  fc.assert(
    fc.property(evidences, change, (evidence, lessen) => {
      const { inventory: _inventory, ...parts } = evidence
      const less = sealed({ ...parts, ...lessen(parts) })
      if (passes(evidence)) passed += 1
      else expect(judge(thorough, less)).not.toMatchObject({ name: 'pass' })
    }),
    { numRuns: 20 * MANY },
  )
  expect(passed).toBeGreaterThan(5 * MANY)
})

it('a run that shows everything passes, so that the laws above say something', () => {
  expect(judge(thorough, passingEvidence())).toMatchObject({ name: 'pass' })
  expect(inventoryOf(passingEvidence())).toEqual(passingEvidence().inventory)
})
