import { join } from 'node:path'
import { hasPrograms, ownPrometheus } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { appFolder } from '../src/config.js'
import { devServer, loadOn, runScript } from './helpers.js'

describe('the rules', () => {
  it.runIf(hasPrograms('prometheus'))(
    'mean the same to a real Prometheus (skipped without one: Debian package prometheus)',
    async () => {
      const dev = await devServer()
      await loadOn(dev)
      const prometheus = await ownPrometheus({
        global: { scrape_interval: '500ms', evaluation_interval: '500ms', scrape_timeout: '500ms' },
        rule_files: [join(appFolder, 'rules/alerts.demo.yml')],
        scrape_configs: [{ job_name: 'flappyjournal', static_configs: [{ targets: [new URL(dev.url).host] }] }],
      })
      onTestFinished(prometheus.stop)
      const firingAt = async (base: string): Promise<string[]> => {
        const { data } = (await (await fetch(`${base}/api/v1/alerts`)).json()) as {
          data: { alerts: { labels: { alertname: string }; state: string }[] }
        }
        return data.alerts
          .filter(({ state }) => state === 'firing')
          .map(({ labels }) => labels.alertname)
          .sort()
      }
      const real = `http://127.0.0.1:${prometheus.port}`
      await vi.waitFor(async () => expect(await firingAt(real)).toEqual([]), { interval: 500 })
      const breaking = runScript(['tools/chaos/osComponentChaos.cjs', 'adapter'], dev.env)
      const expected = ['CircuitBreakerOpen', 'StorageErrorsHigh']
      await vi.waitFor(
        async () => expect([await firingAt(real), await firingAt(dev.alertsUrl)]).toEqual([expected, expected]),
        { interval: 250 },
      )
      expect((await breaking).code).toBe(0)
      await vi.waitFor(async () => expect([await firingAt(real), await firingAt(dev.alertsUrl)]).toEqual([[], []]), {
        timeout: 60_000,
        interval: 500,
      })
    },
  )
})
