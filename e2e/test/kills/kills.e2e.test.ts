import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { controlledApp, type ControlledApp } from './controlled-app.js'
import { startControlling } from './controlling-process.js'

let app: ControlledApp
beforeAll(async () => {
  app = await controlledApp()
})
afterAll(() => app.close())

/** Waits until nothing of a client is in force. */
const isWhole = (prefix: string): Promise<void> =>
  vi.waitFor(() => {
    expect(app.injectionsOf(prefix).filter(({ endedAt }) => endedAt === undefined)).toEqual([])
    expect(app.isBare()).toBe(true)
  })

describe.runIf(process.platform !== 'win32')('what a client holds by its connection (not on Windows: SIGKILL)', () => {
  it.each([
    ['SIGKILL', 'socket', 'check'],
    ['SIGKILL', 'url', 'inject'],
    ['SIGKILL', 'socket', 'hits'],
    ['SIGKILL', 'url', 'stop'],
    ['cut', 'url', 'check'],
    ['cut', 'socket', 'inject'],
    ['cut', 'url', 'hits'],
    ['cut', 'socket', 'stop'],
  ] as const)('ends after %s on a way by %s, as it comes to %s', async (harm, way, phase) => {
    const prefix = `${harm}-${way}-${phase}`
    const controls = { who: 'client', way, hold: 'connection', leaseMs: 600_000, hitsMs: 5 } as const
    const controlling = await startControlling(app, prefix, controls)
    try {
      await controlling.reaches(phase)
      controlling.suffer(harm)
      await isWhole(prefix)
    } finally {
      await controlling.end()
    }
    // A request that was on its way may have been answered since.
    await isWhole(prefix)
  })
})
