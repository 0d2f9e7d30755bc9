import { expect, it } from 'vitest'
import { instances } from '../../test/fixtures.js'
import { instancesOf } from './instance-report.js'
import { waitingFor, type InstanceOutcome } from './outcomes.js'

/** Outcomes of `count` instances, those of some changed. */
const outcomes = (count: number, changed: Readonly<Record<number, Partial<InstanceOutcome>>> = {}) =>
  [...waitingFor(instances(count).map(({ id }) => id)).values()].map((one, index) => ({
    ...one,
    status: 'reverted' as const,
    why: 'max-duration',
    hits: 2,
    ...changed[index],
  }))

it('tells what each instance did, in the order of the plan', () => {
  const { counts, list } = instancesOf({
    status: 'ended',
    activeAt: 1,
    instances: outcomes(5, {
      1: { status: 'refused', why: 'The guard says no.', hits: 0 },
      2: { status: 'applied', why: undefined },
      3: { status: 'applied', why: undefined, isGone: true },
      4: { status: 'waiting', why: undefined, hits: 0 },
    }),
  })
  expect(list.map(({ id, status, why, hits }) => [id, status, why?.slice(0, 20), hits])).toEqual([
    ['i-0', 'reverted', 'max-duration', 2],
    ['i-1', 'refused', 'The guard says no.', 0],
    ['i-2', 'unconfirmed', 'its lease has passed', 2],
    ['i-3', 'gone', 'it left the fleet wi', 2],
    ['i-4', 'waiting', 'it did not answer', 0],
  ])
  expect(counts).toEqual({ reverted: 1, refused: 1, unconfirmed: 1, gone: 1, waiting: 1 })
})

it('takes an instance that is affected for nothing else while the run goes on', () => {
  const applied = outcomes(1, { 0: { status: 'applied', why: undefined } })
  expect(instancesOf({ status: 'active', activeAt: 1, instances: applied }).counts).toEqual({ applied: 1 })
})

it('says of an instance that was ready that it was not affected, only where the run did not begin', () => {
  const ready = outcomes(1, { 0: { status: 'ready', why: undefined } })
  expect(instancesOf({ status: 'ended', activeAt: undefined, instances: ready }).counts).toEqual({ ready: 1 })
  expect(instancesOf({ status: 'ended', activeAt: 1, instances: ready }).counts).toEqual({ unconfirmed: 1 })
})

it('keeps exact counts of a run that is too large to list, and lists those that need a look', () => {
  const { counts, list } = instancesOf({
    status: 'ended',
    activeAt: 1,
    instances: outcomes(3_000, {
      2_500: { status: 'refused', why: 'no' },
      2_900: { why: 'clock-jump' },
    }),
  })
  expect(counts).toEqual({ reverted: 2_999, refused: 1 })
  expect(list).toHaveLength(1_000)
  expect(list.slice(0, 3).map(({ id }) => id)).toEqual(['i-2500', 'i-2900', 'i-0'])
})
