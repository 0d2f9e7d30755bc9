import { describe, expect, it } from 'vitest'
import { devServer, runScript } from '../../e2e/helpers.js'

// The quick form has no time for it.
describe.runIf(process.env['CHAOS_SOAK'] !== 'quick')('osComponentChaos, run against the dev server', () => {
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
