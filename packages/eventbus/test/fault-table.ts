import { fileURLToPath } from 'node:url'
import { inject, isChaosError, type Fault, type Injection } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import type { BusTarget } from '../src/bindings/in-process.js'
import { delayEvents } from '../src/faults/delay-events.js'

/** What the table publishes: enough to know a message again, and something to damage. */
export interface Content {
  readonly n: number
  readonly text: string
}

/** A bus that runs, with one subscriber, for one cell of the table. */
export interface RunningBus {
  /** What faults are injected into. */
  readonly target: BusTarget
  /** The name that is published under: what `only` would be. */
  readonly name: string
  /** Publishes as an application would. What it returns is awaited only after the fault has ended, since the fault may hold it back. */
  readonly publish: (content: Content) => unknown
  /** What the subscriber got so far, in order. A listener that gets something it cannot read puts `undefined`. */
  readonly got: readonly (Content | undefined)[]
  /** Objects that a fault may touch, which must be as they were found afterwards. */
  readonly touched: readonly object[]
  /** A message whose delivery failed comes again. Default `false`. */
  readonly redelivers?: boolean
  readonly dispose?: () => void | Promise<void>
}

/** One column of the table: a fault, as it is put in force for a cell. */
interface Column {
  readonly fault: () => Fault<BusTarget>
  /** What else must be true of what the subscriber got. */
  readonly check?: (got: readonly (Content | undefined)[], injection: Injection) => void
}

const COLUMNS: Readonly<Record<string, Column>> = {
  'delay': { fault: () => delayEvents({ delayMs: 30 }), check: (got) => expect(numbers(got)).toEqual(range(SENT)) },
  'delay, at publish': { fault: () => delayEvents({ delayMs: 30, seam: 'publish' }), check: (got) => expect(numbers(got)).toEqual(range(SENT)) },
}

const SENT = 20
const TEXT = 'the quick brown fox'
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const numbers = (got: readonly (Content | undefined)[]): (number | undefined)[] => got.map((content) => content?.n)

/**
 * Puts every fault in force on one kind of bus, and records the row of the table in the docs: landed, accounted, rolled back.
 *
 * @param binding The row's name.
 * @param make Makes a bus that runs, subscribed and ready. Each cell gets its own.
 */
export function faultTable(binding: string, make: () => RunningBus | Promise<RunningBus>): void {
  describe(`every fault on ${binding}`, () => {
    const row: Record<string, string> = {}
    for (const [title, column] of Object.entries(COLUMNS)) {
      it(`${title}: lands, is accounted for, and is taken back`, async () => {
        const bus = await make()
        try {
          row[title] = await cell(bus, column)
        } finally {
          await bus.dispose?.()
        }
      })
    }
    it('has the row that the docs show', async () => {
      expect(Object.keys(row)).toEqual(Object.keys(COLUMNS))
      await expect(`${JSON.stringify({ binding, ...row }, undefined, 2)}\n`).toMatchFileSnapshot(fileURLToPath(new URL(`./table/${binding.replace(/[^\w]+/g, '-')}.json`, import.meta.url)))
    })
  })
}

async function cell(bus: RunningBus, { fault, check }: Column): Promise<'yes' | 'refused'> {
  const before = bus.touched.map(shapeOf)
  const published: unknown[] = []
  let injection
  try {
    injection = await inject(fault(), bus.target, { rate: 0.5, seed: 'table', only: bus.name })
  } catch (error) {
    // A bus that has no such seam says so, and is left alone.
    if (!isChaosError(error, 'CHAOS_TARGET_MISMATCH')) throw error
    expectUntouched(bus, before)
    return 'refused'
  }
  try {
    for (const n of range(SENT)) published.push(bus.publish({ n, text: TEXT }))
    const armed = injection
    await vi.waitFor(() => expect(armed.seen).toBeGreaterThanOrEqual(SENT))
    expect(injection.landedAt).toBeDefined()
    expect(injection.affected).toBeGreaterThan(0)
    expectBalance(injection)
  } finally {
    await injection.rollback()
  }
  await Promise.allSettled(published)
  expectBalance(injection)
  const { sent = 0, duplicated = 0, dropped = 0, held, failed = 0 } = injection.account
  expect(held).toBe(0)
  const expected = sent + duplicated - dropped - (bus.redelivers === true ? 0 : failed)
  await vi.waitFor(() => expect(bus.got.length).toBeGreaterThanOrEqual(expected))
  check?.(bus.got.slice(0, expected), injection)

  // What comes afterwards comes once, unharmed and in order, and is the only thing that comes.
  for (const n of [100, 101, 102]) await bus.publish({ n, text: TEXT })
  await vi.waitFor(() => expect(bus.got.at(-1)?.n).toBe(102))
  expect(bus.got.slice(-3)).toEqual([100, 101, 102].map((n) => ({ n, text: TEXT })))
  if (bus.redelivers !== true) expect(bus.got.length).toBe(expected + 3)
  expectUntouched(bus, before)
  return 'yes'
}

function expectBalance({ account }: Injection): void {
  const { sent = 0, duplicated = 0, delivered = 0, dropped = 0, held = 0 } = account
  expect(sent + duplicated).toBe(delivered + dropped + held)
}

function expectUntouched({ touched }: RunningBus, before: readonly ReturnType<typeof shapeOf>[]): void {
  for (const [index, object] of touched.entries()) expect(shapeDifference(before[index] ?? [], shapeOf(object))).toBeUndefined()
}
