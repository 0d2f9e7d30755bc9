import { EventEmitter } from 'node:events'
import { inject, type Clock, type Fault, type Injection } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { reorderEvents } from '../faults/reorder-events.js'
import { stallListeners } from '../faults/stall-listeners.js'
import { throttleEvents } from '../faults/throttle-events.js'

const seams = fc.constantFrom('delivery' as const, 'publish' as const)
const orders = fc.constantFrom('keep' as const, 'free' as const)
const faults: fc.Arbitrary<Fault<BusTarget>> = fc.oneof(
  fc
    .record({ delayMs: fc.nat(20), jitterMs: fc.nat(10), order: orders, seam: seams })
    .map((options) => delayEvents(options)),
  fc.record({ seam: seams }).map((options) => dropEvents(options)),
  fc
    .record({ copies: fc.integer({ min: 1, max: 3 }), spacingMs: fc.nat(5), order: orders, seam: seams })
    .map((options) => duplicateEvents(options)),
  fc
    .record({
      window: fc.integer({ min: 2, max: 5 }),
      withinMs: fc.integer({ min: 1, max: 30 }),
      order: orders,
      seam: seams,
    })
    .map((options) => reorderEvents(options)),
  fc
    .record({ perSecond: fc.integer({ min: 100, max: 1_000 }), backlog: fc.nat(5), order: orders })
    .map((options) => throttleEvents(options)),
  fc.record({ stallMs: fc.nat(20), order: orders }).map((options) => stallListeners(options)),
)
const layers = fc.array(fc.record({ fault: faults, rate: fc.constantFrom(0.2, 0.5, 1) }), {
  minLength: 1,
  maxLength: 4,
})
const steps = fc.array(fc.record({ name: fc.constantFrom('a', 'b'), waitMs: fc.nat(6), ends: fc.option(fc.nat(3)) }), {
  maxLength: 40,
})

/** A clock for many events: it moves without a turn of the event loop at each timer. */
function quickClock(): Clock & { advance(ms: number): void } {
  let now = 0
  const timers = new Set<{ readonly dueAt: number; readonly work: () => void }>()
  return {
    now: () => now,
    after(delayMs, work) {
      const timer = { dueAt: now + delayMs, work }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const until = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)
        if (next === undefined) break
        timers.delete(next)
        now = next.dueAt
        next.work()
      }
      now = until
    },
  }
}

function expectBalance({
  account: { sent = 0, duplicated = 0, delivered = 0, dropped = 0, held = 0 },
}: Injection): void {
  expect(sent + duplicated).toBe(delivered + dropped + held)
}

describe('accounts', () => {
  it('balance at any instant under any mix of overlapping faults that end in any order, and say what arrived', () =>
    fc.assert(
      fc.asyncProperty(layers, steps, async (mix, events) => {
        const clock = manualClock()
        const bus = new EventEmitter()
        let got = 0
        for (const name of ['a', 'b']) bus.on(name, () => (got += 1))
        const injections: Injection[] = []
        for (const { fault, rate } of mix) injections.push(await inject(fault, bus, { clock, rate, seed: 1 }))
        for (const { name, waitMs, ends } of events) {
          bus.emit(name, { name })
          injections.forEach(expectBalance)
          await clock.advance(waitMs)
          injections.forEach(expectBalance)
          if (ends !== null) await injections[ends]?.rollback()
        }
        // From the outermost in, so that each still sees what the one above it lets go.
        for (const injection of [...injections].reverse()) await injection.rollback()
        injections.forEach(expectBalance)
        const total = (count: 'duplicated' | 'dropped'): number =>
          injections.reduce((sum, { account }) => sum + (account[count] ?? 0), 0)
        expect(got).toBe(events.length + total('duplicated') - total('dropped'))
        expect(injections.every(({ held, account }) => held === 0 && account['held'] === 0)).toBe(true)
      }),
      { numRuns: 150 },
    ))

  it('of many events under delay, drop, duplicate and reorder are exact, and memory is what is under way', async () => {
    // A million in the soak of accounts.
    const EVENTS = { quick: 500_000, whole: 1_000_000 }[process.env['CHAOS_SOAK'] ?? ''] ?? 50_000
    const clock = quickClock()
    const bus = new EventEmitter()
    let got = 0
    let sum = 0
    bus.on('tick', (n: number) => {
      got += 1
      sum += n
    })
    const arm = (fault: Fault<BusTarget>, rate: number): Promise<Injection> =>
      inject(fault, bus, { clock, rate, seed: 7, leaseMs: 2_000_000_000 })
    const drop = await arm(dropEvents(), 0.1)
    const duplicate = await arm(duplicateEvents(), 0.1)
    const reorder = await arm(reorderEvents({ window: 8, withinMs: 50 }), 0.2)
    const delay = await arm(delayEvents({ delayMs: 10, jitterMs: 5 }), 0.3)
    const injections = [drop, duplicate, reorder, delay]
    let peakHeld = 0
    let sent = 0
    for (let n = 0; n < EVENTS; n += 1) {
      bus.emit('tick', n)
      sent += n
      // A hundred events a millisecond.
      if (n % 1_000 === 999) {
        peakHeld = Math.max(
          peakHeld,
          injections.reduce((held, injection) => held + injection.held, 0),
        )
        clock.advance(10)
      }
    }
    // Up to 16 ms of events wait behind a delay, up to a window behind a reorder.
    expect(peakHeld).toBeLessThan(4_000)
    const underWay = injections.map(({ held }) => held)
    expect(underWay.some((held) => held > 0)).toBe(true)
    for (const injection of [delay, reorder, duplicate, drop]) await injection.rollback()
    injections.forEach(expectBalance)
    expect(injections.map(({ held }) => held)).toEqual([0, 0, 0, 0])
    expect(delay.account).toMatchObject({ sent: EVENTS, delivered: EVENTS })
    expect(got).toBe(EVENTS + Number(duplicate.account['duplicated']) - Number(drop.account['dropped']))
    expect(Number(drop.account['dropped'])).toBe(drop.affected)
    expect(Number(duplicate.account['duplicated'])).toBe(duplicate.affected)
    expect(sum).not.toBe(sent)
  }, 300_000)

  it('release what is under way in order and once, when several layers end together', async () => {
    const clock = manualClock()
    const bus = new EventEmitter()
    const got: number[] = []
    bus.on('tick', (n: number) => got.push(n))
    const injections = [
      await inject(delayEvents({ delayMs: 50 }), bus, { clock, rate: 0.5, seed: 1 }),
      await inject(delayEvents({ delayMs: 80 }), bus, { clock, rate: 0.5, seed: 2 }),
      await inject(delayEvents({ delayMs: 20 }), bus, { clock }),
    ]
    for (let n = 0; n < 1_000; n += 1) {
      bus.emit('tick', n)
      if (n % 10 === 0) await clock.advance(1)
    }
    await Promise.all(injections.map((injection) => injection.rollback()))
    expect(got).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    injections.forEach(expectBalance)
  })
})
