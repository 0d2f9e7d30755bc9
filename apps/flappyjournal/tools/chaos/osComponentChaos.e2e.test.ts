import { describe, expect, it, vi } from 'vitest'
import { devServer, folder, loadOn, runScript } from '../../e2e/helpers.js'

describe('osComponentChaos, run against the dev server', () => {
  it('breaks worker, event bus and adapter of the running dev server: the alert fires, health comes back, nothing acknowledged is lost', async () => {
    const dev = await devServer()
    const load = await loadOn(dev)
    await vi.waitFor(async () => expect((await fetch(`${dev.url}/healthz`)).status).toBe(200))
    for (const [target, alert] of [
      ['worker', 'WorkerRestarted'],
      ['eventbus', 'SpiralEventLagHigh'],
      ['adapter', 'CircuitBreakerOpen'],
    ] as const) {
      const { code, out } = await runScript(['tools/chaos/osComponentChaos.cjs', target], dev.env)
      expect(out).toContain(`the alert ${alert} fired`)
      expect(out).toContain('/healthz answers 200')
      expect(code, out).toBe(0)
    }
    await vi.waitFor(
      async () =>
        expect(((await (await fetch(`${dev.url}/alerts`)).json()) as { alerts: unknown[] }).alerts).toEqual([]),
      { timeout: 60_000, interval: 500 },
    )
    // The original request: an injected adapter error triggers the alert, and the alert is logged.
    expect(await dev.log()).toMatch(/\{"event":"alert firing","alert":"CircuitBreakerOpen","severity":"page"/)
    await vi.waitFor(
      async () => expect(await dev.log()).toContain('{"event":"alert resolved","alert":"CircuitBreakerOpen"'),
      { timeout: 60_000, interval: 500 },
    )
    expect((await load.look()).lost).toBe(0)
  })

  it('says which targets there are, and what to do where nothing runs', async () => {
    const wrong = await runScript(['tools/chaos/osComponentChaos.cjs', 'wroker'])
    expect(wrong).toMatchObject({ code: 2, out: expect.stringContaining('worker, eventbus, adapter') as string })
    expect(wrong.out).toContain('Did you mean "worker"?')
    const nobody = await runScript(['tools/chaos/osComponentChaos.cjs', 'worker'], { CHAOS_SOCKET_DIR: await folder() })
    expect(nobody).toMatchObject({ code: 3, out: expect.stringContaining('npm run dev') as string })
  })
})
