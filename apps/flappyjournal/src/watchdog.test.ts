import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { watchdog } from './watchdog.js'

it('tells of a silence, and of none that was its own stall', async () => {
  const onSilent = vi.fn()
  const { heard, stop } = watchdog(400, onSilent)
  onTestFinished(stop)
  heard()
  // As when the whole process is stopped: nothing could be heard meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
  await turn()
  await turn()
  expect(onSilent).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(onSilent).toHaveBeenCalled())
})

it('is quiet once it is stopped', async () => {
  const onSilent = vi.fn()
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { heard, stop } = watchdog(400, onSilent)
  for (let looks = 0; looks < 20; looks += 1) {
    await vi.advanceTimersByTimeAsync(100)
    heard()
  }
  expect(onSilent).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(600)
  expect(onSilent).toHaveBeenCalled()
  onSilent.mockClear()
  stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(onSilent).not.toHaveBeenCalled()
})
