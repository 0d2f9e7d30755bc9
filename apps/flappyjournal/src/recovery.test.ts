import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { Recoveries } from './recovery.js'

const state: { isSteady: boolean | undefined } = { isSteady: false }
const shown: [string, number][] = []
const recovered: [string, number][] = []

beforeEach(() => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  state.isSteady = false
  shown.length = recovered.length = 0
})

function recoveries(): Recoveries {
  const made = new Recoveries({
    isSteady: () => Promise.resolve(state.isSteady),
    show: (fault, seconds) => shown.push([fault, seconds]),
    onRecovered: ({ id }, seconds) => recovered.push([id, seconds]),
    showFinalMs: 1_000,
  })
  onTestFinished(() => made.close())
  return made
}
const end = (made: Recoveries, id: string): boolean => made.ended({ id, fault: `fault of ${id}`, target: 't' })
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const last = (): [string, number] | undefined => shown.at(-1)

it('counts while the app has not recovered, shows the final time, and then nothing', async () => {
  const made = recoveries()
  made.landed('a')
  expect(end(made, 'a')).toBe(true)
  await pass(30_000)
  expect([last(), recovered]).toEqual([['fault of a', 30], []])
  state.isSteady = true
  await pass(5_500)
  expect([last(), recovered]).toEqual([['fault of a', 35.5], [['a', 35.5]]])
  await pass(999)
  expect(last()).toEqual(['fault of a', 35.5])
  await pass(1)
  expect(last()).toEqual(['fault of a', 0])
  const count = shown.length
  await pass(600_000)
  expect(shown).toHaveLength(count)
})

it('stops asserting when a new fault lands', async () => {
  const made = recoveries()
  made.landed('a')
  end(made, 'a')
  await pass(30_000)
  made.landed('b')
  expect(last()).toEqual(['fault of a', 0])
  const count = shown.length
  await pass(60_000)
  expect(shown).toHaveLength(count)
  end(made, 'b')
  await pass(1_000)
  expect(last()).toEqual(['fault of b', 1])
})

it('stops showing a final time when a new fault lands', async () => {
  const made = recoveries()
  made.landed('a')
  end(made, 'a')
  state.isSteady = true
  await pass(5_500)
  made.landed('b')
  expect(last()).toEqual(['fault of a', 0])
})

it('measures nothing of a fault that never landed, and lets an earlier recovery go on', async () => {
  const made = recoveries()
  made.landed('a')
  end(made, 'a')
  expect(end(made, 'never')).toBe(false)
  await pass(2_000)
  expect(last()).toEqual(['fault of a', 2])
})

it('waits for the last fault in force', async () => {
  const made = recoveries()
  made.landed('a')
  made.landed('b')
  expect(end(made, 'a')).toBe(false)
  await pass(30_000)
  expect(shown).toEqual([])
  expect(end(made, 'b')).toBe(true)
})

it('says no number while it cannot read, and holds that against the recovery', async () => {
  const made = recoveries()
  made.landed('a')
  end(made, 'a')
  state.isSteady = undefined
  await pass(30_000)
  expect(last()).toEqual(['fault of a', Number.NaN])
  state.isSteady = true
  await pass(4_000)
  expect([last(), recovered]).toEqual([['fault of a', 34], []])
  state.isSteady = undefined
  await pass(500)
  state.isSteady = true
  await pass(5_000)
  expect(recovered).toEqual([])
  await pass(500)
  expect(recovered).toEqual([['a', 40]])
})

it('ends with the app', async () => {
  const made = recoveries()
  made.landed('a')
  end(made, 'a')
  await pass(1_000)
  made.close()
  expect(last()).toEqual(['fault of a', 0])
  expect(vi.getTimerCount()).toBe(0)
})
