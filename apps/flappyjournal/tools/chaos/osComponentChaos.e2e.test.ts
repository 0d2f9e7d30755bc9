import { describe, expect, it, vi } from 'vitest'
import { devServer, folder, loadOn, runScript } from '../../e2e/helpers.js'

describe('osComponentChaos, run against the dev server', () => {
  it('breaks worker, event bus and adapter of the running dev server: the alert fires, health comes back, nothing acknowledged is lost', async () => {
    const dev = await devServer()
    const load = await loadOn(dev)
    await vi.waitFor(async () => expect((await fetch(`${dev.url}/healthz`)).status).toBe(200), { timeout: 10_000 })
    for (const [target, alert] of [
      ['worker', 'WorkerRestarted'],
      ['eventbus', 'SpiralEventLagHigh'],
      ['adapter', 'CircuitBreakerOpen'],
    ] as const) {
      const { code, out } = await runScript(['tools/chaos/osComponentChaos.cjs', target], dev.env)
      expect(out).toContain(`the alert ${alert} fired`)
      expect(out).toContain('/healthz answers 200')
      expect(code, out).toBe(0)
      await vi.waitFor(
        async () =>
          expect(((await (await fetch(`${dev.url}/alerts`)).json()) as { alerts: unknown[] }).alerts).toEqual([]),
        { timeout: 60_000, interval: 500 },
      )
    }
    expect((await load.look()).lost).toBe(0)
  })

  it('says which targets there are, and what to do where nothing runs', async () => {
    const wrong = await runScript(['tools/chaos/osComponentChaos.cjs', 'wroker'])
    expect(wrong).toMatchObject({ code: 2, out: expect.stringContaining('worker, eventbus, adapter') as string })
    expect(wrong.out).toContain('Did you mean `worker`?')
    const nobody = await runScript(['tools/chaos/osComponentChaos.cjs', 'worker'], { CHAOS_SOCKET_DIR: await folder() })
    expect(nobody).toMatchObject({ code: 3, out: expect.stringContaining('npm run dev') as string })
  })

  it('needs no traffic, breaks nothing where no journal answers, and takes no alert of an earlier fault for one of its own', async () => {
    const dev = await devServer()
    const elsewhere = await runScript(['tools/chaos/osComponentChaos.cjs', 'worker'], {
      ...dev.env,
      FLAPPY_URL: 'http://127.0.0.1:1',
    })
    expect(elsewhere).toMatchObject({ code: 3, out: expect.stringContaining('FLAPPY_URL') as string })
    expect(await (await fetch(`${dev.url}/metrics`)).text()).toContain(
      'chaos_faults_injected_total{kind="worker/terminate-worker",target="worker"} 0',
    )
    for (let run = 0; run < 2; run += 1) {
      const { code, out } = await runScript(['tools/chaos/osComponentChaos.cjs', 'adapter'], dev.env)
      expect(code, out).toBe(0)
    }
    const { resolved } = (await (await fetch(`${dev.url}/alerts`)).json()) as { resolved: { name: string }[] }
    expect(resolved.filter(({ name }) => name === 'CircuitBreakerOpen').length).toBeGreaterThanOrEqual(1)
  })
})
