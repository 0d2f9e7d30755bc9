import { readFileSync } from 'node:fs'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { stressCpu } from './stress-cpu.js'
import { stressMemory } from './stress-memory.js'

/** Whether a process is there, be it as one that has ended and was not yet asked how. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

const pidOf = ({ evidence }: { readonly evidence: readonly Readonly<Record<string, unknown>>[] }): number =>
  evidence[0]?.['pid'] as number

// Figures of CPU and memory: they hold where nothing else uses the machine.
describe('stressCpu', () => {
  it('uses CPU time in a separate process, measures it, and ends that process', async () => {
    const before = process.cpuUsage()
    const injection = await inject(stressCpu({ periodMs: 20 }), process)
    await vi.waitFor(() => expect(injection.account['cpuMs']).toBeGreaterThan(300))
    const [first] = injection.evidence
    expect(first).toMatchObject({ pid: expect.any(Number) as number, cpuMs: expect.any(Number) as number })
    const pid = pidOf(injection)
    expect(isThere(pid)).toBe(true)
    await injection.rollback()
    expect(isThere(pid)).toBe(false)
    // It was not this process that computed.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(injection.account['cpuMs'] ?? 0)
  })

  it('uses no more than its share of the time', async () => {
    const injection = await inject(stressCpu({ load: 0.2, periodMs: 20 }), process)
    await vi.waitFor(() => expect(injection.account['cpuMs']).toBeGreaterThan(100))
    const { cpuMs, overMs } = injection.evidence[0] as { cpuMs: number; overMs: number }
    // What a window of 50 ms may begin with, and reading the time.
    expect(cpuMs).toBeLessThan(0.2 * overMs + 50)
    await injection.rollback()
  })

  it('pauses if it is not renewed', async () => {
    const clock = manualClock()
    const injection = await inject(stressCpu({ periodMs: 50 }), process, { clock })
    await clock.advance(50)
    // The clock stands still now, as that of a process that stalls does: 200 ms were ordered.
    await vi.waitFor(() => expect(injection.account['cpuMs']).toBeGreaterThan(0))
    let last = -1
    await vi.waitFor(
      () => {
        const now = injection.account['cpuMs'] ?? 0
        const isStill = now === last
        last = now
        expect(isStill).toBe(true)
      },
      { interval: 400 },
    )
    expect(last).toBeLessThan(400)
    await injection.rollback()
  })
})

describe('stressMemory', () => {
  it('holds resident memory, measures it, and frees it', async () => {
    const injection = await inject(stressMemory({ sizeMb: 96, periodMs: 50 }), process)
    await vi.waitFor(() => expect(injection.evidence).toHaveLength(1))
    const [{ heldMb, rssMb }] = injection.evidence as unknown as [{ heldMb: number; rssMb: number }]
    expect(heldMb).toBe(96)
    expect(rssMb).toBeGreaterThan(96)
    const pid = pidOf(injection)
    await injection.rollback()
    expect(isThere(pid)).toBe(false)
  })

  it('frees it for the periods that are not chosen', async () => {
    const clock = manualClock()
    const injection = await inject(stressMemory({ sizeMb: 96, periodMs: 60_000 }), process, {
      clock,
      every: 2,
      leaseMs: 600_000,
    })
    const rss = (): number => injection.account['rssMb'] ?? 0
    await clock.advance(60_000)
    await vi.waitFor(() => expect(injection.account['heldMb']).toBe(96))
    const whileHeld = rss()
    await clock.advance(60_000)
    await vi.waitFor(() => expect(injection.account['heldMb']).toBe(0))
    expect(rss()).toBeLessThan(whileHeld - 64)
    await injection.rollback()
  })

  it.runIf(process.platform === 'linux')(
    'holds on when its own process comes late to what it was told (Linux only: it reads /proc)',
    async () => {
      await using injection = await inject(stressMemory({ sizeMb: 96, periodMs: 500 }), process)
      await vi.waitFor(() => expect(injection.evidence).toHaveLength(1))
      const pid = pidOf(injection)
      const periods = (count: number): Promise<void> => {
        const last = injection.affected + count
        return vi.waitFor(() => expect(injection.affected).toBeGreaterThanOrEqual(last))
      }
      process.kill(pid, 'SIGSTOP')
      // It is told four periods ahead.
      await periods(5)
      let leastMb = Number.POSITIVE_INFINITY
      const looking = setInterval(() => (leastMb = Math.min(leastMb, residentMb(pid))), 1)
      process.kill(pid, 'SIGCONT')
      await periods(1)
      clearInterval(looking)
      expect(leastMb).toBeGreaterThan(96)
    },
  )
})
