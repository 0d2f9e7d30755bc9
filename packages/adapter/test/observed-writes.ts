import { withFault } from '@chaos/core'
import { expect } from 'vitest'
import { delayCalls, failAfterCall, refuseCalls } from '../src/calls/index.js'
import { observeCalls } from '../src/observe/index.js'

/**
 * Expects that an observation of a bound client sees what faults that are injected later make of a command, and that both
 * the faults and the command work as without it.
 */
export async function expectObserved(
  target: () => object,
  operation: string,
  write: () => Promise<unknown>,
): Promise<void> {
  // A command of mongodb has a new session and a new id for each call.
  const calls = await observeCalls(target(), { keyOf: () => 'the same' })
  const options = { methods: operation }
  for (const fault of [
    refuseCalls({ ...options, message: 'refused' }),
    failAfterCall({ ...options, message: 'lost' }),
    delayCalls({ ...options, delayMs: 1 }),
  ])
    await withFault(fault, target(), async (injection) => {
      await write().catch(() => undefined)
      expect(injection.affected).toBe(1)
    })
  await write()
  await calls.stop()
  await write()
  const tries = calls.calls
    .filter((call) => call.operation === operation)
    .map(({ attempts }) => attempts.map(({ ok, error }) => (error as Error | undefined)?.message ?? ok))
  expect(tries).toEqual([['refused', 'lost', true], [true]])
}
