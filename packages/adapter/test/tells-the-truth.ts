import { withFault, type Fault, type Injection } from '@chaos/core'
import { expect, it } from 'vitest'
import {
  duplicateWrites,
  failAfterCall,
  hangCalls,
  loseWrites,
  refuseCalls,
  type ErrorPreset,
} from '../src/calls/index.js'

/** A counter at a real server, seen by the application and by a witness with a connection of its own. */
export interface Counter {
  /** What the application holds, and what faults break. */
  readonly client: object
  readonly method: string
  readonly increment: (signal?: AbortSignal) => Promise<unknown>
  /** The error that is injected. Default: that of the fault. */
  readonly error?: ErrorPreset
  readonly witnessed: () => Promise<number>
}

/** What a store sees of operations that faults affect, whatever they told the callers. @param takesSignal Whether `increment` hands its signal on. */
export function tellsTheTruth(counter: () => Counter, { takesSignal = true } = {}): void {
  const CALLS = 60

  /** Increments so often with a fault in force. @returns How the callers fared, and by how much the server counted. */
  async function run(
    fault: (options: { methods: string; error?: ErrorPreset }) => Fault<object>,
    rate: number,
  ): Promise<{ acknowledged: number; failed: number; counted: number; injection: Injection }> {
    const { client, method, increment, witnessed, error } = counter()
    const before = await witnessed()
    return withFault(
      fault(error === undefined ? { methods: method } : { methods: method, error }),
      client,
      { rate, seed: 1 },
      async (injection) => {
        const calls = await Promise.allSettled(Array.from({ length: CALLS }, () => increment()))
        const acknowledged = calls.filter(({ status }) => status === 'fulfilled').length
        return { acknowledged, failed: CALLS - acknowledged, counted: (await witnessed()) - before, injection }
      },
    )
  }

  it('never sees an operation that was refused', async () => {
    for (const rate of [1, 0.5]) {
      const { acknowledged, failed, counted, injection } = await run(refuseCalls, rate)
      expect([failed, acknowledged, counted]).toEqual([
        injection.affected,
        CALLS - injection.affected,
        CALLS - injection.affected,
      ])
      expect(failed).toBeGreaterThan(0)
    }
  })

  it('never sees an operation that was lost, although its caller heard that it was done', async () => {
    for (const rate of [1, 0.5]) {
      const { acknowledged, counted, injection } = await run(({ methods }) => loseWrites({ methods }), rate)
      expect([acknowledged, counted]).toEqual([CALLS, CALLS - injection.affected])
      expect(injection.affected).toBeGreaterThan(0)
    }
  })

  it('always sees an operation that failed after the call', async () => {
    for (const rate of [1, 0.5]) {
      const { failed, counted, injection } = await run(failAfterCall, rate)
      expect([failed, counted]).toEqual([injection.affected, CALLS])
      expect(failed).toBeGreaterThan(0)
    }
  })

  it('sees a duplicated operation twice', async () => {
    const { witnessed } = counter()
    const before = await witnessed()
    const { acknowledged, injection } = await run(({ methods }) => duplicateWrites({ methods }), 0.5)
    expect(acknowledged).toBe(CALLS)
    // Nobody waits for the copies: what comes behind them on the same connections does.
    await Promise.all(Array.from({ length: 10 }, () => counter().increment()))
    await expect.poll(async () => (await witnessed()) - before).toBe(CALLS + injection.affected + 10)
  })

  if (!takesSignal) return
  it('never sees an operation that was given up while it hung', async () => {
    const { client, method, increment, witnessed } = counter()
    const before = await witnessed()
    await withFault(hangCalls({ methods: method }), client, async () => {
      const caller = new AbortController()
      const call = increment(caller.signal)
      const enough = new Error('enough')
      caller.abort(enough)
      await expect(call).rejects.toBe(enough)
    })
    expect(await witnessed()).toBe(before)
  })
}
