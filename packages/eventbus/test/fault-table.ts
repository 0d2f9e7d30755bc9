import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inject, isChaosError, type Fault, type Injection } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { BusTarget } from '../src/in-process/bus-target.js'
import { corruptEvents } from '../src/faults/corrupt-events.js'
import { delayEvents } from '../src/faults/delay-events.js'
import { disconnectClient } from '../src/faults/disconnect-client.js'
import { dropEvents } from '../src/faults/drop-events.js'
import { duplicateEvents } from '../src/faults/duplicate-events.js'
import { failListeners } from '../src/faults/fail-listeners.js'
import { lagConsumer } from '../src/faults/lag-consumer.js'
import { loseAcks } from '../src/faults/lose-acks.js'
import { nackEvents } from '../src/faults/nack-events.js'
import { partitionBus } from '../src/faults/partition-bus.js'
import { poisonEvents } from '../src/faults/poison-events.js'
import { redeliverEvents } from '../src/faults/redeliver-events.js'
import { reorderEvents } from '../src/faults/reorder-events.js'
import { stallListeners } from '../src/faults/stall-listeners.js'
import { throttleEvents } from '../src/faults/throttle-events.js'
import { stackedFaults } from './stacked-faults.js'

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
  /** Its connection, once cut, is not made again: an application makes another. Default `false`. */
  readonly staysAway?: boolean
  /** What the subscriber got so far, in order. A listener that gets something it cannot read puts `undefined`. */
  readonly got: readonly (Content | undefined)[]
  /** Objects that a fault may touch, which must be as they were found afterwards. */
  readonly touched: readonly object[]
  /** A message whose delivery failed comes again. Default `false`. */
  readonly redelivers?: boolean
  /**
   * Its subscriber asks for messages when it is done with those before: while some are held, it sees no more. Resolves when it has asked anew; what
   * it asked for before the fault was in force comes untouched. Default: messages are pushed to it.
   */
  readonly asksAnew?: () => Promise<unknown>
  /**
   * Deliveries are answers to commands, so of several faults the one injected first sees them first. Default: the one
   * injected last does.
   */
  readonly answersReads?: boolean
  readonly dispose?: () => unknown
}

/** One column of the table: a fault, as it is put in force for a cell. */
interface Column {
  readonly fault: () => Fault<BusTarget>
  /** How many of the messages are its operations, at least. Default: all. */
  readonly seen?: number
  /** Holds messages until it ends. */
  readonly isEndless?: boolean
  /** Share of them to affect. Default 0.5. */
  readonly rate?: number
  /** Each message waits for the one before it: a client whose listener throws may lose what it has read with it, or read on only with the next. */
  readonly isSingle?: boolean
  /** How many deliveries come of the messages. Default: what the account of a fault of deliveries says. */
  readonly arrivals?: (injection: Injection) => number
  /** What else must be true of what the subscriber got. */
  readonly check?: (got: readonly (Content | undefined)[], injection: Injection) => void
}

const inOrder = (got: readonly (Content | undefined)[]): void => expect(numbers(got)).toEqual(range(SENT))
const allOf = (got: readonly (Content | undefined)[]): void => expect(new Set(numbers(got)).size).toBe(SENT)
const unharmed = (got: readonly (Content | undefined)[]): void =>
  expect(got.every((content) => content?.text === TEXT)).toBe(true)

const COLUMNS: Readonly<Record<string, Column>> = {
  delay: { fault: () => delayEvents({ delayMs: 20, jitterMs: 10 }), check: inOrder },
  'delay, at publish': { fault: () => delayEvents({ delayMs: 30, seam: 'publish' }), check: inOrder },
  drop: { fault: () => dropEvents(), check: unharmed },
  'drop, at publish': { fault: () => dropEvents({ seam: 'publish' }), check: unharmed },
  duplicate: { fault: () => duplicateEvents({ copies: 2, spacingMs: 5 }), check: allOf },
  reorder: {
    fault: () => reorderEvents({ window: 3 }),
    check: (got) => {
      expect(numbers(got)).not.toEqual(range(SENT))
      expect(new Set(numbers(got)).size).toBe(SENT)
    },
  },
  corrupt: {
    fault: () => corruptEvents({ damage: 'truncate', at: 'text' }),
    check: (got, { affected }) =>
      expect(got.filter((content) => content?.text === TEXT.slice(0, Math.floor(TEXT.length / 2)))).toHaveLength(
        affected,
      ),
  },
  throttle: { fault: () => throttleEvents({ perSecond: 1_000, backlog: 5 }), check: unharmed },
  partition: { fault: () => partitionBus({ way: 'inbound' }), check: unharmed },
  'partition, held': { fault: () => partitionBus({ way: 'outbound', messages: 'held' }), check: inOrder },
  'fail listeners': { fault: () => failListeners({ how: 'throw', message: INJECTED }), isSingle: true },
  'fail async listeners': { fault: () => failListeners({ how: 'reject', message: INJECTED }), isSingle: true },
  'stall listeners': { fault: () => stallListeners(), isEndless: true, check: inOrder },
  'lag consumer': { fault: () => lagConsumer({ processingMs: 5 }), check: inOrder },
  'lose acks': { fault: () => loseAcks(), arrivals: ({ account: { dropped = 0 } }) => SENT + dropped, check: allOf },
  nack: {
    fault: () => nackEvents({ times: 2, keyAt: 'n' }),
    arrivals: ({ affected }) => SENT + affected,
    check: allOf,
  },
  redeliver: {
    fault: () => redeliverEvents({ afterMs: 5 }),
    arrivals: ({ affected }) => SENT + affected,
    check: allOf,
  },
  poison: { fault: () => poisonEvents({ nth: 2, keyAt: 'n', message: INJECTED }), isSingle: true, seen: 1, rate: 1 },
}

/** One fault for each thing that a version of a client may do otherwise: deliver, publish, read a payload, await a listener, acknowledge. */
const FEW = ['delay', 'drop, at publish', 'corrupt', 'fail async listeners', 'lose acks']
/** With the lowest versions of the clients a few have their turn, and all in the whole soak. */
const ARE_FEW = process.env['CHAOS_PEERS'] === 'lowest' && process.env['CHAOS_SOAK'] !== 'whole'
const TRIED = Object.entries(COLUMNS).filter(([title]) => !ARE_FEW || FEW.includes(title))

const SENT = 20
const INJECTED = 'injected by the table'
const TEXT = 'the quick brown fox'
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const numbers = (got: readonly (Content | undefined)[]): (number | undefined)[] => got.map((content) => content?.n)

/**
 * Puts every fault in force on one kind of bus, and records the row of the table in the docs: landed, accounted, rolled back.
 *
 * @param binding The row's name.
 * @param make Makes a bus that runs, subscribed and ready, for a column. Each cell gets its own.
 */
export function faultTable(binding: string, make: (title: string) => RunningBus | Promise<RunningBus>): void {
  describe(`every fault on ${binding}`, () => {
    const row: Record<string, string> = {}
    it('disconnect: is cut off, or has no connection, and comes back', async () => {
      const bus = await make('disconnect')
      try {
        row['disconnect'] = await disconnection(bus)
      } finally {
        await bus.dispose?.()
      }
    })
    for (const [title, column] of TRIED) {
      it(`${title}: lands, is accounted for, and is taken back`, async () => {
        onTestFinished(catchInjected())
        const bus = await make(title)
        try {
          row[title] = await cell(bus, column)
        } finally {
          await bus.dispose?.()
        }
      })
    }
    stackedFaults(make)
    it('has the row that the docs show', async () => {
      expect(Object.keys(row)).toEqual(['disconnect', ...TRIED.map(([title]) => title)])
      const file = fileURLToPath(new URL(`./table/${binding.replace(/[^\w]+/g, '-')}.json`, import.meta.url))
      if (ARE_FEW) expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ binding, ...row })
      else await expect(`${JSON.stringify({ binding, ...row }, undefined, 2)}\n`).toMatchFileSnapshot(file)
    })
  })
}

/** Cuts a bus off until it has been felt, and waits until messages come again. */
async function disconnection(bus: RunningBus): Promise<'yes' | 'refused' | 'for good'> {
  const before = bus.touched.map(shapeOf)
  let injection: Injection
  try {
    injection = await inject(disconnectClient(), bus.target)
  } catch (error) {
    if (!isChaosError(error, 'CHAOS_TARGET_MISMATCH')) throw error
    expectUntouched(bus, before)
    return 'refused'
  }
  await injection.rollback()
  expect(injection.landedAt).toBeDefined()
  if (bus.staysAway === true) return 'for good'
  await vi.waitFor(() => {
    // What is published on a connection that is being lost may fail, or never be heard of again.
    void Promise.resolve(bus.publish({ n: 0, text: TEXT })).catch(() => undefined)
    expect(bus.got.length).toBeGreaterThan(0)
  })
  return 'yes'
}

async function cell(
  bus: RunningBus,
  { fault, arrivals, check, isSingle = false, isEndless = false, seen = SENT, rate = 0.5 }: Column,
): Promise<'yes' | 'refused'> {
  const before = bus.touched.map(shapeOf)
  const published: unknown[] = []
  let injection
  try {
    injection = await inject(fault(), bus.target, { rate, seed: 'table', only: bus.name })
  } catch (error) {
    // A bus that has no such seam says so, and is left alone.
    if (!isChaosError(error, 'CHAOS_TARGET_MISMATCH')) throw error
    expectUntouched(bus, before)
    return 'refused'
  }
  try {
    const armed = injection
    await bus.asksAnew?.()
    for (const n of range(SENT)) {
      published.push(attempt(() => bus.publish({ n, text: TEXT })))
      if (isSingle)
        await vi.waitFor(() => expect(bus.got.length + (armed.account['failed'] ?? 0)).toBeGreaterThan(n), {
          interval: 1,
        })
    }
    if (isEndless && bus.asksAnew !== undefined) await vi.waitFor(() => expect(armed.held).toBeGreaterThan(0))
    else await vi.waitFor(() => expect(armed.seen).toBeGreaterThanOrEqual(seen))
    expect(injection.landedAt).toBeDefined()
    expect(injection.affected).toBeGreaterThan(0)
    expectBalance(injection)
  } finally {
    await injection.rollback()
  }
  await Promise.allSettled(published)
  expectBalance(injection)
  const { duplicated = 0, dropped = 0, held, failed = 0 } = injection.account
  expect(held).toBe(0)
  const expected = arrivals?.(injection) ?? SENT + duplicated - dropped - (bus.redelivers === true ? 0 : failed)
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

/** Publishing may fail as a listener does; only failures of ours are expected. */
function attempt(publish: () => unknown): unknown {
  try {
    const published = publish()
    return published instanceof Promise ? published.catch(expectInjected) : published
  } catch (error) {
    expectInjected(error)
    return undefined
  }
}

function expectInjected(error: unknown): void {
  if (!isInjected(error)) throw error
}

const isInjected = (error: unknown): boolean => error instanceof Error && error.message === INJECTED

/** Injected failures that end with the process are expected as such; the runner must not take them for its own. */
function catchInjected(): () => Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.listeners(event as 'uncaughtException'))
  for (const [index, event] of events.entries()) {
    process.removeAllListeners(event)
    process.on(event, (error: unknown) => {
      if (isInjected(error)) return
      for (const listener of before[index] ?? []) listener(error as Error, event)
    })
  }
  return async () => {
    // Failures come on the next tick, which a test of nothing but microtasks does not wait for.
    await new Promise((resolve) => setImmediate(resolve))
    for (const [index, event] of events.entries()) {
      process.removeAllListeners(event)
      for (const listener of before[index] ?? []) process.on(event, listener)
    }
  }
}

function expectBalance({ account }: Injection): void {
  const { sent = 0, duplicated = 0, delivered = 0, dropped = 0, held = 0 } = account
  expect(sent + duplicated).toBe(delivered + dropped + held)
}

function expectUntouched({ touched }: RunningBus, before: readonly ReturnType<typeof shapeOf>[]): void {
  for (const [index, object] of touched.entries())
    expect(shapeDifference(before[index] ?? [], shapeOf(object))).toBeUndefined()
}
