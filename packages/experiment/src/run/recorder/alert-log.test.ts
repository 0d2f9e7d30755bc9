import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import type { ActiveAlert } from '../../alerts/reader.js'
import { alertLog, type AlertLog } from './alert-log.js'

const firing: ActiveAlert = { name: 'A', labels: { a: '1' }, state: 'firing', activeAt: 10 }
const clock = manualClock(1_000)
/** Reads what stands for each reading, 100 ms apart; `undefined`: the reading fails. */
async function logOf(...readings: readonly (readonly ActiveAlert[] | undefined)[]): Promise<AlertLog> {
  const left = [...readings]
  const own = manualClock(1_000)
  const log = alertLog(
    {
      source: 's',
      read: () => {
        const next = left.shift()
        return next === undefined ? Promise.reject(new Error('refused')) : Promise.resolve(next)
      },
    },
    own,
  )
  for (const _ of readings) {
    await own.advance(100)
    await log.read()
  }
  return log
}

it('dates what changed by the reading that showed it, with the time since the one before as error', async () => {
  const { stretches } = await logOf([], [{ ...firing, state: 'pending' }], [firing], [firing], [])
  expect(stretches).toEqual([
    {
      name: 'A',
      labels: { a: '1' },
      state: 'pending',
      source: 's',
      from: 1_200,
      fromErrorMs: 100,
      to: 1_300,
      toErrorMs: 100,
      activeAt: 10,
      isSilenced: false,
    },
    {
      name: 'A',
      labels: { a: '1' },
      state: 'firing',
      source: 's',
      from: 1_300,
      fromErrorMs: 100,
      to: 1_500,
      toErrorMs: 100,
      activeAt: 10,
      isSilenced: false,
    },
  ])
})

it('widens the error by readings that failed', async () => {
  const log = await logOf([], undefined, undefined, [firing])
  expect(log.stretches).toMatchObject([{ from: 1_400, fromErrorMs: 300 }])
  expect(log.readings()).toEqual({
    source: 's',
    succeeded: 2,
    failed: 2,
    lastFailedAt: 1_300,
    longestGapMs: 300,
    problem: 'refused',
  })
})

it('counts the time since the last reading as a gap', async () => {
  const log = await logOf([], undefined, undefined, undefined)
  expect(log.readings().longestGapMs).toBe(300)
})

it('tells series of one alert apart by their labels, in whatever order they come', async () => {
  const one: ActiveAlert = { ...firing, labels: { a: '1', b: '2' } }
  const { stretches } = await logOf([one, { ...one, labels: { a: '2' } }], [{ ...one, labels: { b: '2', a: '1' } }])
  expect(stretches.map(({ labels, to }) => [labels, to])).toEqual([
    [{ a: '1', b: '2' }, undefined],
    [{ a: '2' }, 1_200],
  ])
})

it('takes an alert that two rules give for firing when one of them says so, in whatever order they come', async () => {
  const pending: ActiveAlert = { ...firing, state: 'pending' }
  const { stretches } = await logOf([pending, pending], [firing, pending], [pending, firing], [firing], [])
  expect(stretches.map(({ state, from, to }) => [state, from, to])).toEqual([
    ['pending', 1_100, 1_200],
    ['firing', 1_200, 1_500],
  ])
  expect(
    (await logOf([{ ...firing, isSilenced: true }, firing], [firing, { ...firing, isSilenced: true }])).stretches,
  ).toMatchObject([{ isSilenced: false }])
})

it('calls an alert silenced only when every reading says so', async () => {
  expect((await logOf([{ ...firing, isSilenced: true }], [{ ...firing, isSilenced: true }])).stretches).toMatchObject([
    { isSilenced: true },
  ])
  expect((await logOf([{ ...firing, isSilenced: true }], [firing])).stretches).toMatchObject([{ isSilenced: false }])
})

it('does not count a reading that the run itself broke off', async () => {
  const log = alertLog({ source: 's', read: () => new Promise(() => undefined) }, clock)
  expect(await log.read(AbortSignal.abort())).toEqual([])
  expect(log.readings()).toMatchObject({ succeeded: 0, failed: 0 })
})
