import { manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Alarm, type Due } from './alarm.js'

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), inMs: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(30) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }),
)

it('rings at each time that is not over, with one timer, and with none when it waits for nothing', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const clock = manualClock()
      const start = clock.now()
      let live: Due[] = []
      const rung: number[] = []
      const expected: number[] = []
      const alarm = new Alarm(clock, () => {
        const now = clock.now()
        const come = live.filter(({ at }) => at <= now)
        if (come.length > 0) rung.push(now - start)
        for (const due of come) alarm.end(due)
        live = live.filter((due) => !come.includes(due))
        alarm.settle()
      })
      for (const one of steps) {
        if (one.do === 'add') live.push(alarm.add(clock.now() + one.inMs))
        else if (one.do === 'end') for (const due of live.splice(one.which, 1)) alarm.end(due)
        else {
          const until = clock.now() + one.ms
          expected.push(...new Set(live.filter(({ at }) => at <= until).map(({ at }) => at - start)))
          await clock.advance(one.ms)
        }
        alarm.settle()
        expect(clock.pending).toBe(live.length > 0 ? 1 : 0)
      }
      expect(rung).toEqual(expected.sort((a, b) => a - b))
    }),
  ))
