import { inject, isChaosError, type Fault, type Injection } from '@chaos/core'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { corruptEvents } from '../src/faults/corrupt-events.js'
import { delayEvents } from '../src/faults/delay-events.js'
import { dropEvents } from '../src/faults/drop-events.js'
import { duplicateEvents } from '../src/faults/duplicate-events.js'
import type { BusTarget } from '../src/in-process/bus-target.js'
import type { RunningBus } from './fault-table.js'

/** The most messages that a test publishes. */
const LAST = 99

/**
 * Puts several faults in force on one kind of bus: each of them acts, and the newest sees a message first.
 *
 * @param make Makes a bus that runs, subscribed and ready.
 */
export function stackedFaults(make: (title: string) => RunningBus | Promise<RunningBus>): void {
  describe.each(['publish', 'delivery'] as const)('several faults at %s', (seam) => {
    let clock: ManualClock
    beforeEach(() => {
      clock = manualClock()
    })

    /**
     * Injects faults, the one that sees messages last first. Publishes one message and, when the faults have ended, a last
     * one.
     *
     * @returns The texts of the messages that came before the last one.
     */
    async function through(
      faults: readonly Fault<BusTarget>[],
      meanwhile: (injections: readonly Injection[]) => Promise<unknown>,
    ): Promise<readonly (string | undefined)[] | 'refused'> {
      const bus = await make('several faults')
      const injections: Injection[] = []
      try {
        const isReversed = seam === 'delivery' && bus.answersReads === true
        for (const fault of isReversed ? [...faults].reverse() : faults)
          injections.push(await inject(fault, bus.target, { clock, only: bus.name }))
        if (isReversed) injections.reverse()
        await bus.asksAnew?.()
        const published = Promise.resolve(bus.publish({ n: 0, text: TEXT }))
        await meanwhile(injections)
        await published
        for (const injection of injections) await injection.rollback()
        await bus.publish({ n: LAST, text: TEXT })
        await vi.waitFor(() => expect(bus.got.at(-1)?.n).toBe(LAST))
        return bus.got.slice(0, -1).map((content) => content?.text)
      } catch (error) {
        if (isChaosError(error, 'CHAOS_TARGET_MISMATCH')) return 'refused'
        throw error
      } finally {
        for (const injection of injections) await injection.rollback()
        await bus.dispose?.()
      }
    }
    const seen = (count: number, ...injections: readonly (Injection | undefined)[]): Promise<unknown> =>
      vi.waitFor(() => expect(injections.map((injection) => injection?.seen)).toEqual(injections.map(() => count)))

    /** Some buses have no seam where messages are published. */
    const expectCame = (got: Awaited<ReturnType<typeof through>>, expected: readonly string[]): void =>
      expect(got === 'refused' && seam === 'publish' ? expected : got).toEqual(expected)

    it('adds delays', async () => {
      const got = await through(
        [delayEvents({ delayMs: 20, seam }), delayEvents({ delayMs: 50, seam })],
        async ([inner, outer]) => {
          await seen(1, outer)
          await clock.advance(49)
          expect([inner?.seen, outer?.held]).toEqual([0, 1])
          await clock.advance(1)
          await seen(1, inner)
          await clock.advance(19)
          expect([inner?.held, outer?.held]).toEqual([1, 0])
          await clock.advance(1)
          await vi.waitFor(() => expect(inner?.held).toBe(0))
        },
      )
      expectCame(got, [TEXT])
    })

    it('counts no hit of a fault that does not see the message, since another one dropped it', async () => {
      const got = await through([delayEvents({ delayMs: 20, seam }), dropEvents({ seam })], async ([inner, outer]) => {
        await seen(1, outer)
        expect(inner?.seen).toBe(0)
      })
      expectCame(got, [])
    })

    it('drops late what is delayed and then dropped', async () => {
      const got = await through([dropEvents({ seam }), delayEvents({ delayMs: 20, seam })], async ([inner, outer]) => {
        await seen(1, outer)
        expect(inner?.seen).toBe(0)
        await clock.advance(20)
        await seen(1, inner)
      })
      expectCame(got, [])
    })

    it('shows each copy to the fault beneath, and damages twice', async () => {
      const truncate = { damage: 'truncate', at: 'text', seam } as const
      const got = await through(
        [corruptEvents(truncate), duplicateEvents({ copies: 1, seam }), corruptEvents(truncate)],
        async ([inner, middle, outer]) => {
          await clock.advance(1)
          await seen(1, middle, outer)
          await seen(2, inner)
        },
      )
      const half = TEXT.slice(0, TEXT.length / 2)
      const quarter = half.slice(0, half.length / 2)
      expectCame(got, [quarter, quarter])
    })
  })
}

const TEXT = 'sixteen letters!'
