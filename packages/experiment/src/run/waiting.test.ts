import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { waiting } from './waiting.js'

describe('waiting for what is recorded', () => {
  it('looks at every change of a young run', () => {
    const { until, changed } = waiting(manualClock(), new AbortController().signal)
    const isSo = vi.fn(() => false)
    void until(isSo, 10_000)
    for (let time = 0; time < 10; time += 1) changed()
    expect(isSo).toHaveBeenCalledTimes(11)
  })

  it('looks the less often the older the run is, and misses nothing', async () => {
    const clock = manualClock()
    const over = new AbortController()
    const { until, changed } = waiting(clock, over.signal)
    await clock.advance(3_600_000)
    let isThere = false
    const isSo = vi.fn(() => isThere)
    const waited = until(isSo, clock.now() + 3_600_000)
    for (let time = 0; time < 40; time += 1) {
      changed()
      await clock.advance(250)
    }
    expect(isSo.mock.calls.length).toBeLessThan(6)
    isThere = true
    changed()
    await clock.advance(4_000)
    expect(await waited).toBe(true)
    over.abort()
    expect(clock.pending).toBe(0)
  })
})
