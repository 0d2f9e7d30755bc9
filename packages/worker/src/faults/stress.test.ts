import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
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

const pidOf = ({ evidence }: { readonly evidence: readonly Readonly<Record<string, unknown>>[] }): number =>
  evidence[0]?.['pid'] as number

describe('stressCpu', () => {
  it('pauses while it is not chosen, and lasts out the period that spends its limit', async () => {
    const clock = manualClock()
    const injection = await inject(stressCpu({ periodMs: 100 }), process, { clock, limit: 1 })
    await clock.advance(100)
    expect([injection.affected, injection.held, injection.status]).toEqual([1, 1, 'active'])
    await vi.waitFor(() => expect(injection.account['cpuMs']).toBeGreaterThan(0))
    await clock.advance(99)
    expect(injection.status).toBe('active')
    await clock.advance(1)
    expect((await injection.done).outcome).toBe('limit-spent')
    expect(isThere(pidOf(injection))).toBe(false)
  })

  it('reports a stressor that was killed, and counts no more', async () => {
    const clock = manualClock()
    const injection = await inject(stressCpu({ periodMs: 100 }), process, { clock })
    await clock.advance(100)
    await vi.waitFor(() => expect(injection.evidence).toHaveLength(1))
    process.kill(pidOf(injection), 'SIGKILL')
    await vi.waitFor(() => expect(injection.evidence[1]).toMatchObject({ pid: pidOf(injection), endedBy: 'SIGKILL' }))
    await clock.advance(1_000)
    expect(injection.seen).toBe(1)
    await injection.rollback()
  })

  it('refuses more cores than the machine has, and an invalid share', async () => {
    const cores = os.cpus().length + 1
    await expect(inject(stressCpu({ cores }), process)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining(`got \`${cores}\``) as string,
    })
    expect(() => stressCpu({ load: 2 })).toThrow(
      'Expected `load` of worker/stress-cpu to be a number from 0 to 1, got `2`.',
    )
    expect(() => stressCpu({ periodMs: -1 })).toThrow('periodMs')
  })
})

describe('stressMemory', () => {
  it('refuses more than its cap, and more than the available memory', async () => {
    expect(() => stressMemory({ sizeMb: 1_025 })).toThrow('at most 1024 (`maxMb`), got `1025`')
    expect(() => stressMemory({ sizeMb: 0 })).toThrow('sizeMb')
    const machineMb = Math.ceil(os.totalmem() / 2 ** 20)
    await expect(inject(stressMemory({ sizeMb: machineMb, maxMb: machineMb }), process)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining(`at least ${machineMb + 256} MB`) as string,
    })
    await expect(inject(stressMemory({ sizeMb: 1, keepFreeMb: machineMb }), process)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
  })
})

describe('a holder that is killed', () => {
  const started: ChildProcess[] = []
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })

  it.each(['stressCpu({ periodMs: 20 })', 'stressMemory({ sizeMb: 64, periodMs: 20 })'])(
    'takes %s along',
    async (fault) => {
      const core = new URL('../../../core/dist/index.js', import.meta.url).href
      const ours = new URL('../../dist/index.js', import.meta.url).href
      const holder = spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `
      import { inject } from '${core}'
      import { stressCpu, stressMemory } from '${ours}'
      const injection = await inject(${fault}, process)
      const look = setInterval(() => {
        if (injection.evidence.length === 0) return
        console.log(injection.evidence[0].pid)
        clearInterval(look)
        setInterval(() => undefined, 1000)
      }, 5)`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      started.push(holder)
      const pid = Number(String((await once(holder.stdout, 'data'))[0]))
      expect(isThere(pid)).toBe(true)
      holder.kill('SIGKILL')
      await vi.waitFor(() => expect(isThere(pid)).toBe(false))
    },
  )
})
