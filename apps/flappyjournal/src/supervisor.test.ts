import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { superviseLoop, type SupervisorOptions, type Supervisor } from './supervisor.js'

function supervise(options: SupervisorOptions = {}): Supervisor {
  const supervisor = superviseLoop(options)
  onTestFinished(() => supervisor.stop())
  return supervisor
}

describe('superviseLoop', () => {
  it('brings a dead worker back, again and again, with growing pauses', async () => {
    const supervisor = supervise({ firstPauseMs: 20, maxPauseMs: 60 })
    for (let death = 1; death <= 3; death += 1) {
      await vi.waitFor(() => expect(supervisor.isUp).toBe(true))
      const [worker] = supervisor.workers()
      await worker?.terminate()
      await vi.waitFor(() => expect(supervisor.restarts).toBe(death))
      expect(supervisor.workers()).not.toContain(worker)
    }
  })

  it('reads 0 Hz, and no skew, from the moment its worker is dead', async () => {
    const supervisor = supervise({ restarts: false })
    await vi.waitFor(() => expect(supervisor.hz).toBeGreaterThan(0))
    await supervisor.workers()[0]?.terminate()
    expect([supervisor.isUp, supervisor.hz, supervisor.skewMs, supervisor.restarts]).toEqual([false, 0, Number.NaN, 0])
  })

  it('does not take its own stall for the silence of a worker that reported all the while', async () => {
    const heard = vi.fn()
    const supervisor = supervise({ silenceMs: 5_000, onReport: heard })
    await vi.waitFor(() => expect(heard).toHaveBeenCalled())
    const before = supervisor.workers()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_500)
    const reports = heard.mock.calls.length
    await vi.waitFor(() => expect(heard.mock.calls.length).toBeGreaterThan(reports + 2))
    expect(supervisor.workers()).toEqual(before)
    expect(supervisor.restarts).toBe(0)
  })

  it('leaves no thread when it is stopped', async () => {
    const supervisor = supervise()
    await vi.waitFor(() => expect(supervisor.isUp).toBe(true))
    const [worker] = supervisor.workers()
    await supervisor.stop()
    expect([worker?.threadId, supervisor.workers()]).toEqual([-1, []])
  })
})
