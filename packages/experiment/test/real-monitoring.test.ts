import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it } from 'vitest'
import { BROKEN, eventually, monitoring, STOCK_LOW } from './monitoring.js'

describe.runIf(hasPrograms('prometheus', 'prometheus-alertmanager'))(
  'a real Prometheus and Alertmanager (skipped without: Debian packages prometheus, prometheus-alertmanager)',
  () => {
    it('are read as they are: rules, timing, an alert on its way, silenced, and gone', async () => {
      let stock = 0
      const { prometheus, alertmanager, sink, alertmanagerUrl } = await monitoring(() => stock, [STOCK_LOW, BROKEN])
      await eventually(async () =>
        expect(await prometheus.read()).toMatchObject([
          { name: 'StockLow', labels: { severity: 'page', job: 'shop' }, state: 'firing' },
        ]),
      )
      const [alert] = await prometheus.read()
      expect(Math.abs(Date.now() - (alert?.activeAt ?? 0))).toBeLessThan(60_000)
      expect(await prometheus.rules?.()).toEqual([
        {
          name: 'StockLow',
          forMs: 500,
          intervalMs: 250,
          rangeMs: 5_000,
          isHealthy: true,
          labels: { severity: 'page' },
        },
        {
          name: 'ShelfEmpty',
          forMs: 0,
          intervalMs: 250,
          rangeMs: 0,
          isHealthy: false,
          problem: expect.stringContaining('many-to-many') as string,
        },
      ])
      expect(await prometheus.timing?.()).toEqual({ scrapeIntervalMs: 500 })
      expect(await alertmanager.timing?.()).toMatchObject({ groupWaitMs: 250 })

      await eventually(() =>
        expect(sink.notifications).toMatchObject([
          { name: 'StockLow', labels: { severity: 'page', job: 'shop' }, status: 'firing' },
        ]),
      )
      // When its condition began and, after `for`, it fired are two times: Prometheus tells the first, Alertmanager the second.
      const [reached] = await alertmanager.read()
      expect(reached).toEqual({ ...alert, activeAt: reached?.activeAt, isSilenced: false })
      expect((reached?.activeAt ?? 0) - (alert?.activeAt ?? 0)).toBeGreaterThanOrEqual(500)
      const silence = {
        matchers: [{ name: 'alertname', value: 'StockLow', isRegex: false, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 600_000).toISOString(),
        createdBy: 'test',
        comment: 'a test',
      }
      expect(
        (
          await fetch(`${alertmanagerUrl}/api/v2/silences`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(silence),
          })
        ).status,
      ).toBe(200)
      await eventually(async () => expect(await alertmanager.read()).toEqual([{ ...reached, isSilenced: true }]))

      stock = 7
      await eventually(async () => expect([await prometheus.read(), await alertmanager.read()]).toEqual([[], []]))
    })
  },
)
