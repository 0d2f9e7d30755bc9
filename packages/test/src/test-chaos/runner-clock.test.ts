import { expect, it, onTestFinished, vi } from 'vitest'
import { runnerClock } from './runner-clock.js'

it('follows fake timers that are installed after it was made, and real ones before', async () => {
  const clock = runnerClock()
  await new Promise<void>((resolve) => clock.after(1, resolve))
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ now: 1_000 })
  const done = vi.fn()
  const cancelled = vi.fn()
  clock.after(60_000, done)
  clock.after(60_000, cancelled, { ref: false })()
  expect(clock.now()).toBe(1_000)
  vi.advanceTimersByTime(59_999)
  expect(done).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(done).toHaveBeenCalledOnce()
  expect(clock.now()).toBe(61_000)
  expect(cancelled).not.toHaveBeenCalled()
})
