import { systemClock } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { expect, it, vi } from 'vitest'
import { runAt } from './run-at.js'

/** Runs something so long from now. @returns How late it ran, in ms. */
function lateness(delayMs: number): Promise<number> {
  const dueAt = systemClock.now() + delayMs
  return new Promise((resolve) => void runAt(systemClock, dueAt, () => resolve(systemClock.now() - dueAt)))
}

it('never runs early, whatever part of a millisecond is left', async () => {
  const late = await Promise.all([-1, 0, 0.3, 0.95, 1.4, 2.5, 7.99].map(lateness))
  for (const ms of late) expect(ms).toBeGreaterThanOrEqual(0)
})

it('does not run within the call', async () => {
  const work = vi.fn()
  runAt(systemClock, systemClock.now() - 1, work)
  expect(work).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(work).toHaveBeenCalledOnce())
})

it('does not run when it is cancelled, neither before the last millisecond nor in it', async () => {
  const work = vi.fn()
  const cancels = [0.5, 2].map((ms) => runAt(systemClock, systemClock.now() + ms, work))
  for (const cancel of cancels) cancel()
  await lateness(3)
  expect(work).not.toHaveBeenCalled()
})

it('asks a clock of a test for its timer', async () => {
  const clock = manualClock()
  const work = vi.fn()
  runAt(clock, clock.now() + 5, work)
  await clock.advance(4)
  expect(work).not.toHaveBeenCalled()
  await clock.advance(1)
  expect(work).toHaveBeenCalledOnce()
})
