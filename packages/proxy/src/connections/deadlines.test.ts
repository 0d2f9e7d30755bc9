import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { Deadlines } from './deadlines.js'

it('come in order, by one timer at a time, and not if they were ended', async () => {
  const clock = manualClock()
  let timers = 0
  const counted = {
    now: () => clock.now(),
    after: (ms: number, work: () => void, options?: { readonly ref?: boolean }) => {
      timers += 1
      return clock.after(ms, work, options)
    },
  }
  const deadlines = new Deadlines(counted, 100)
  const come: string[] = []
  const set = (name: string) => deadlines.set(() => void come.push(`${name} at ${clock.now() - start}`))
  const start = clock.now()
  set('a')
  const b = set('b')
  await clock.advance(30)
  set('c')
  deadlines.end(b)
  expect(timers).toBe(1)
  await clock.advance(69)
  expect(come).toEqual([])
  await clock.advance(1)
  expect([come, timers]).toEqual([['a at 100'], 2])
  await clock.advance(100)
  expect([come, timers]).toEqual([['a at 100', 'c at 130'], 2])
})

it('keep their timer when all were ended, until they rest or it fires', async () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock, 100)
  const end = (): void => deadlines.end(deadlines.set(() => expect.unreachable()))
  end()
  end()
  expect(clock.pending).toBe(1)
  deadlines.rest()
  expect(clock.pending).toBe(0)
  end()
  await clock.advance(100)
  expect(clock.pending).toBe(0)
  const waitedFor = deadlines.set(() => undefined)
  deadlines.rest()
  expect(clock.pending).toBe(1)
  deadlines.end(waitedFor)
  deadlines.rest()
})

it('are not late because one that has come sets another', async () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock, 100)
  const start = clock.now()
  const come: number[] = []
  const note = (): void => void come.push(clock.now() - start)
  deadlines.set(() => {
    note()
    deadlines.set(note)
  })
  await clock.advance(10)
  deadlines.set(note)
  for (let step = 0; step < 20; step += 1) await clock.advance(10)
  expect([come, clock.pending]).toEqual([[100, 110, 200], 0])
})
