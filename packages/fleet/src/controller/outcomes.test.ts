import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instance } from '../../test/fixtures.js'
import type { Ack } from '../transports/transport.js'
import { noteGone, takeAcks, waitingFor, type InstanceOutcome } from './outcomes.js'

const ACTIVE_AT = 100_000

/** What is known of `i-0` after answers, each with the time of its arrival. */
function after(answers: readonly (readonly [at: number, ack: Ack])[], activeAt: number | undefined = ACTIVE_AT) {
  const outcomes = waitingFor(['i-0'], [instance('i-0')])
  for (const [at, ack] of answers) takeAcks(outcomes, new Map([['i-0', ack]]), at, activeAt)
  return outcomes.get('i-0') as InstanceOutcome
}

it('knows the service and the labels of an instance that was listed', () => {
  expect(after([])).toMatchObject({ service: 'journal', labels: { zone: 'eu-1' }, status: 'waiting' })
  expect(waitingFor(['i-1'], [instance('i-0')]).get('i-1')).toMatchObject({ service: undefined, labels: undefined })
})

it('dates the landing by the clock of the agent, though its answer is read late', () => {
  // It began 20 ms after it was told to, landed 300 ms later, and its next answer is read 1,400 ms after that.
  const { landedAt, appliedSeenAt } = after([
    [ACTIVE_AT + 25, { status: 'applied', hits: 0, appliedAgoMs: 5 }],
    [ACTIVE_AT + 1_720, { status: 'applied', hits: 4, appliedAgoMs: 900, landedAgoMs: 600 }],
  ])
  expect(appliedSeenAt).toBe(ACTIVE_AT + 25)
  expect(landedAt).toBe(ACTIVE_AT + 320)
})

it('dates the landing as seen where an agent says no ages', () => {
  expect(after([[ACTIVE_AT + 900, { status: 'applied', hits: 1 }]]).landedAt).toBe(ACTIVE_AT + 900)
})

it.each<[string, Ack, number]>([
  ['before the run was active', { status: 'applied', hits: 1, appliedAgoMs: 1e12, landedAgoMs: 1e12 }, ACTIVE_AT],
  ['before it began', { status: 'applied', hits: 1, appliedAgoMs: 0, landedAgoMs: 500 }, ACTIVE_AT + 900],
  ['in the future', { status: 'applied', hits: 1, appliedAgoMs: -5_000, landedAgoMs: -5_000 }, ACTIVE_AT + 900],
])('believes no agent that its fault landed %s', (_when, ack, expected) => {
  expect(after([[ACTIVE_AT + 900, ack]]).landedAt).toBe(expected)
})

it('dates no landing before the run is active, whatever an agent says', () => {
  const outcomes = waitingFor(['i-0'])
  takeAcks(outcomes, new Map([['i-0', { status: 'refused', hits: 9, landedAgoMs: 1 }]]), 50_000, undefined)
  expect(outcomes.get('i-0')?.landedAt).toBeUndefined()
})

it('dates the landing of an honest agent never too early, and never later than it was seen', () =>
  fc.assert(
    fc.property(
      fc.nat(3_000),
      fc.nat(5_000),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(2_000)), { minLength: 1, maxLength: 10 }),
      (beginsAfterMs, landsAfterMs, answers) => {
        const beganAt = ACTIVE_AT + beginsAfterMs
        const landedAt = beganAt + landsAfterMs
        let madeAt = beganAt
        let seenAt: number | undefined
        const given = answers.map(([pauseMs, lateMs]): [number, Ack] => {
          madeAt += pauseMs
          const hits = madeAt >= landedAt ? 1 + madeAt - landedAt : 0
          if (hits > 0) seenAt ??= madeAt + lateMs
          return [
            madeAt + lateMs,
            {
              status: 'applied',
              hits,
              appliedAgoMs: madeAt - beganAt,
              ...(hits > 0 ? { landedAgoMs: madeAt - landedAt } : {}),
            },
          ]
        })
        const dated = after(given).landedAt
        if (seenAt === undefined) expect(dated).toBeUndefined()
        else {
          expect(dated).toBeGreaterThanOrEqual(landedAt)
          expect(dated).toBeLessThanOrEqual(seenAt)
        }
      },
    ),
  ))

it('keeps no more evidence than fits, and none that is nested too deep to be walked through', () => {
  const evidence = Array.from({ length: 500 }, (_, index) => ({ index, text: 'x'.repeat(100) }))
  const kept = after([[ACTIVE_AT + 1, { status: 'applied', evidence }]]).evidence
  expect(kept.at(-1)).toMatchObject({ index: 499 })
  expect(JSON.stringify(kept).length).toBeLessThan(5_000)
  let deep: unknown = 1
  for (let depth = 0; depth < 7_000; depth += 1) deep = [deep]
  const mixed = after([[ACTIVE_AT + 1, { status: 'applied', evidence: [{ deep }, { fine: true }] }]])
  expect(mixed.evidence).toEqual([{ fine: true }])
})

it('keeps no more labels than fit, made printable', () => {
  const labels = {
    'a\u001b': 'b\n',
    ...Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`l${n}`, 'x'.repeat(9_000)])),
  }
  const kept = waitingFor(['i-0'], [instance('i-0', { labels })]).get('i-0')?.labels ?? {}
  expect(Object.entries(kept)[0]).toEqual(['a\\u001b', 'b\\u000a'])
  expect(JSON.stringify(kept).length).toBeLessThan(1_500)
})

it('notes which instances are missing from a list, and which are back', () => {
  const outcomes = waitingFor(['i-0', 'i-1'])
  expect(noteGone(outcomes, [instance('i-1')]).map(({ now }) => [now.id, now.isGone])).toEqual([['i-0', true]])
  expect(noteGone(outcomes, [instance('i-1')])).toEqual([])
  expect(noteGone(outcomes, [instance('i-0'), instance('i-1')]).map(({ now }) => now.isGone)).toEqual([false])
})
