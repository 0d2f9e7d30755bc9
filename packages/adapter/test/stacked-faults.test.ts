import { inject, type Fault, type Injection, type InjectOptions } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { hasPrograms, SERVER_TIMEOUT_MS } from '@chaos/test-servers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  corruptResults,
  delayCalls,
  duplicateWrites,
  failAfterCall,
  hangCalls,
  loseWrites,
  refuseCalls,
} from '../src/calls/index.js'
import { rejection } from './rejection.js'
import { connecting } from './stacked/connecting.js'
import { stopServers } from './stacked/servers.js'
import type { Subject, Subjects } from './stacked/subject.js'
import { writes as writing } from './stacked/writing.js'

afterAll(() => stopServers())

describe.each([...entries(writing, true), ...entries(connecting, false)])(
  'several faults on one operation of $name',
  ({ needs, open, isWrite }) => {
    describe.runIf(hasPrograms(...needs))(needs.length > 0 ? `(skipped without ${needs.join(', ')})` : '', () => {
      let subject: Subject
      let methods: string
      let clock: ManualClock
      beforeAll(async () => {
        subject = await open()
        ;({ methods } = subject)
      }, SERVER_TIMEOUT_MS)
      afterAll(() => subject.close())
      beforeEach(() => {
        clock = manualClock()
      })

      const over = async (fault: Fault<object>, options?: InjectOptions): Promise<Injection> => {
        const injection = await inject(fault, subject.target, { clock, ...options })
        onTestFinished(() => injection.rollback().then(() => undefined))
        return injection
      }
      const counts = ({ seen, affected }: Injection): readonly number[] => [seen, affected]
      const held = (injection: Injection, count = 1): Promise<unknown> =>
        vi.waitFor(() => expect(injection.held).toBe(count))
      /** Expects that the operation writes once meanwhile, or never. */
      const writes = async (times: 'once' | 'never', work: () => Promise<unknown>): Promise<void> => {
        const before = await subject.written()
        await work()
        await vi.waitFor(async () =>
          expect((await subject.written()) - before).toBe(times === 'once' ? subject.writes : 0),
        )
      }

      it('lets the newest see the request first and the answer last', async () => {
        const order: string[] = []
        const seeing = (name: string) =>
          [
            corruptResults({
              methods,
              change(result) {
                order.push(`${name}: answer`)
                return result
              },
            }),
            {
              only() {
                if (order.at(-1) !== `${name}: request`) order.push(`${name}: request`)
                return true
              },
            },
          ] as const
        await over(...seeing('oldest'))
        await over(...seeing('middle'))
        await over(...seeing('newest'))
        await subject.operate()
        expect(order).toEqual([
          ...['newest: request', 'middle: request', 'oldest: request'],
          ...['oldest: answer', 'middle: answer', 'newest: answer'],
        ])
      })

      it('adds delays', () =>
        writes('once', async () => {
          const inner = await over(delayCalls({ methods, delayMs: 20 }))
          const outer = await over(delayCalls({ methods, delayMs: 50 }))
          const answer = subject.operate()
          await held(outer)
          await clock.advance(49)
          expect([inner.seen, outer.held]).toEqual([0, 1])
          await clock.advance(1)
          await held(inner)
          await clock.advance(19)
          expect([inner.held, outer.held]).toEqual([1, 0])
          await clock.advance(1)
          await answer
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [1, 1],
          ])
        }))

      it('fails late what is delayed and then refused', () =>
        writes('never', async () => {
          const inner = await over(refuseCalls({ methods, message: 'refused' }))
          const outer = await over(delayCalls({ methods, delayMs: 50 }))
          const error = rejection(subject.operate())
          await held(outer)
          expect(inner.seen).toBe(0)
          await clock.advance(50)
          expect(await error).toMatchObject({ message: 'refused' })
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [1, 1],
          ])
        }))

      it('counts no hit of a fault that does not see the operation, since another one refused it', () =>
        writes('never', async () => {
          const inner = await over(delayCalls({ methods, delayMs: 50 }))
          const outer = await over(refuseCalls({ methods, message: 'refused' }))
          expect(await rejection(subject.operate())).toMatchObject({ message: 'refused' })
          expect([counts(inner), counts(outer)]).toEqual([
            [0, 0],
            [1, 1],
          ])
        }))

      it('delays a late answer at its response, after what is delayed at its request', () =>
        writes('once', async () => {
          const inner = await over(delayCalls({ methods, delayMs: 20 }))
          const outer = await over(delayCalls({ methods, delayMs: 50, seam: 'response' }))
          const idle = clock.pending
          const answer = subject.operate()
          await held(inner)
          await clock.advance(20)
          expect([inner.held, outer.held]).toEqual([0, 1])
          await vi.waitFor(() => expect(clock.pending).toBe(idle + 1))
          await clock.advance(49)
          expect(outer.held).toBe(1)
          await clock.advance(1)
          await answer
        }))

      it('goes on to the fault beneath when a hang ends', () =>
        writes('once', async () => {
          const inner = await over(delayCalls({ methods, delayMs: 20 }))
          const outer = await over(hangCalls({ methods }))
          const answer = subject.operate()
          await held(outer)
          await outer.rollback()
          await held(inner)
          await clock.advance(20)
          await answer
        }))

      it('does not hold beneath what has ended meanwhile', () =>
        writes('once', async () => {
          const inner = await over(hangCalls({ methods }))
          const outer = await over(delayCalls({ methods, delayMs: 50 }))
          const answer = subject.operate()
          await held(outer)
          await inner.rollback()
          expect(outer.held).toBe(1)
          await clock.advance(50)
          await answer
          expect(counts(inner)).toEqual([0, 0])
        }))

      it('does not show an operation that is held to a fault that comes later', () =>
        writes('once', async () => {
          const held1 = await over(hangCalls({ methods }))
          const answer = subject.operate()
          await held(held1)
          const later = await over(refuseCalls({ methods, message: 'refused' }))
          await held1.rollback()
          await answer
          expect(counts(later)).toEqual([0, 0])
        }))

      it('goes on when all end at once', () =>
        writes('once', async () => {
          const faults = [await over(hangCalls({ methods })), await over(hangCalls({ methods }))]
          const answer = subject.operate()
          await held(faults[1] as Injection)
          await Promise.all(faults.map((fault) => fault.rollback()))
          await answer
        }))

      it('lets nobody lose the reply of what is refused beneath', () =>
        writes('never', async () => {
          const inner = await over(refuseCalls({ methods, message: 'refused' }))
          const outer = await over(failAfterCall({ methods, message: 'lost' }))
          expect(await rejection(subject.operate())).toMatchObject({ message: 'refused' })
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [1, 0],
          ])
        }))

      it('loses a reply once', () =>
        writes('once', async () => {
          const inner = await over(failAfterCall({ methods, message: 'lost first' }))
          const outer = await over(failAfterCall({ methods, message: 'lost second' }))
          expect(await rejection(subject.operate())).toMatchObject({ message: 'lost first' })
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [1, 0],
          ])
        }))

      it('refuses what the limit of the fault above lets through', () =>
        writes('never', async () => {
          const inner = await over(refuseCalls({ methods, message: 'inner' }))
          const outer = await over(refuseCalls({ methods, message: 'outer' }), { limit: 1 })
          const errors = [await rejection(subject.operate()), await rejection(subject.operate())]
          expect(errors.map(({ message }) => message)).toEqual(['outer', 'inner'])
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [1, 1],
          ])
        }))

      it('spends the limit of the fault beneath only on what it sees', () =>
        writes('once', async () => {
          const inner = await over(refuseCalls({ methods, message: 'inner' }), { limit: 1 })
          const outer = await over(refuseCalls({ methods, message: 'outer' }), { every: 2 })
          const told: string[] = []
          for (let nth = 0; nth < 4; nth += 1)
            told.push(
              await subject.operate().then(
                () => 'done',
                (error: unknown) => (error as Error).message,
              ),
            )
          expect(told).toEqual(['outer', 'inner', 'outer', 'done'])
          expect([counts(inner), counts(outer)]).toEqual([
            [1, 1],
            [4, 2],
          ])
        }))

      if (!isWrite) return

      it('acknowledges what is lost, though the fault beneath would refuse it', () =>
        writes('never', async () => {
          const inner = await over(refuseCalls({ methods, message: 'refused' }))
          await over(loseWrites({ methods, answer: 1 }))
          await subject.operate()
          expect(counts(inner)).toEqual([0, 0])
        }))

      it('shows each copy of a write to the faults beneath, and none to those above', async () => {
        const before = await subject.written()
        const inner = await over(delayCalls({ methods, delayMs: 20 }))
        const middle = await over(duplicateWrites({ methods }))
        const outer = await over(corruptResults({ methods, change: (result) => result }))
        const answer = subject.operate()
        await vi.waitFor(() => expect(counts(inner)).toEqual([2, 2]))
        await clock.advance(20)
        await answer
        await vi.waitFor(async () => expect((await subject.written()) - before).toBe(1 + subject.copyWrites))
        expect([middle, outer].map(counts)).toEqual([
          [1, 1],
          [1, 1],
        ])
      })

      it('repeats a write beneath a delay', async () => {
        const before = await subject.written()
        await over(duplicateWrites({ methods }))
        const outer = await over(delayCalls({ methods, delayMs: 20 }))
        const answer = subject.operate()
        await held(outer)
        await clock.advance(20)
        await answer
        await vi.waitFor(async () => expect((await subject.written()) - before).toBe(1 + subject.copyWrites))
        expect(counts(outer)).toEqual([1, 1])
      })
    })
  },
)

function entries(subjects: Subjects, isWrite: boolean) {
  return Object.entries(subjects).map(([name, { needs, open }]) => ({ name, needs, open, isWrite }))
}
