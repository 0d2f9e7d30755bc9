import { systemClock } from '@chaos/core/authoring'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it } from 'vitest'
import { alertmanagerAlerts, prometheusAlerts, runExperiment } from '../src/index.js'
import type { Probe } from '../src/probes/probe-types.js'
import { probeReader, type Sample } from '../src/probes/read.js'
import { BROKEN, eventually, monitoring, STOCK_LOW } from './monitoring.js'
import { shopExperiment, shopOn } from './support.js'

describe.runIf(hasPrograms('prometheus', 'prometheus-alertmanager'))(
  'a real Prometheus and Alertmanager (skipped without: Debian packages prometheus, prometheus-alertmanager)',
  () => {
    it('show that they are alive, by their own clocks, until they stand still', async () => {
      const { prometheus, alertmanager, prometheusUrl, alertmanagerUrl, freezePrometheus } = await monitoring(
        () => 7,
        [STOCK_LOW, BROKEN],
      )
      await eventually(async () =>
        expect(await prometheus.health?.()).toMatchObject({
          problems: [expect.stringContaining('The rule ShelfEmpty is broken: ') as string],
        }),
      )
      const seen = await eventually(async () => {
        const health = await prometheus.health?.()
        expect(health?.scrapedAt).toBeGreaterThan(0)
        expect(health?.evaluatedAt).toBeGreaterThan(0)
        return health
      })
      // This machine has one clock.
      const askedAt = Date.now()
      const health = await prometheus.health?.()
      expect(health?.now).toBeGreaterThanOrEqual(askedAt - (health?.nowErrorMs ?? 0) - 5)
      expect(health?.now).toBeLessThanOrEqual(Date.now() + (health?.nowErrorMs ?? 0) + 5)
      await eventually(async () => {
        const later = await prometheus.health?.()
        expect(later?.evaluatedAt).toBeGreaterThan(seen?.evaluatedAt ?? 0)
        expect(later?.scrapedAt).toBeGreaterThan(seen?.scrapedAt ?? 0)
      })
      expect(await alertmanager.health?.()).toMatchObject({
        evaluatedAt: undefined,
        problems: ['The alert Watchdog, which always fires, does not'],
      })
      // What Prometheus would send, once a minute.
      const body = JSON.stringify([{ labels: { alertname: 'Watchdog' } }])
      expect(
        (
          await fetch(`${alertmanagerUrl}/api/v2/alerts`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
          })
        ).status,
      ).toBe(200)
      const received = await eventually(async () => {
        const told = await alertmanager.health?.()
        expect(told?.evaluatedAt).toBeGreaterThanOrEqual(askedAt)
        return told
      })
      expect(Math.abs((received?.now ?? 0) - Date.now())).toBeLessThanOrEqual((received?.nowErrorMs ?? 0) + 100)
      expect(await alertmanager.read()).toEqual([])

      freezePrometheus()
      const frozen = prometheusAlerts({ url: prometheusUrl, timeoutMs: 300 })
      // The signal stops its threads a moment after it was sent.
      await eventually(() => expect(frozen.health?.()).rejects.toThrow('no answer within 300 ms'))
      await expect(frozen.read()).rejects.toThrow('no answer within 300 ms')
    })

    it('tell a probe when its data was scraped, and whether a series exists', async () => {
      const { prometheusUrl: url } = await monitoring(() => 7, [STOCK_LOW])
      const base = { name: 'p', type: 'prometheus', url, tolerance: { atLeast: 0 } } as const
      const read = (more: object): Promise<Sample> => probeReader({ ...base, ...more } as Probe, systemClock)()
      const since = Date.now()
      await eventually(async () => expect((await read({ query: 'shop_stock' })).dataAt).toBeGreaterThan(since - 5_000))
      expect(await read({ query: 'shop_stock' })).toMatchObject({ value: 7, quality: 'measured' })
      const sold = 'sum(rate(shop_stock{a="b"}[5s])) / sum(rate(shop_stock[5s]))'
      expect(await read({ query: sold, emptyIs: 0 })).toMatchObject({ quality: 'none' })
      expect(await read({ query: sold, emptyIs: 0, existsQuery: 'count(shop_stock)' })).toMatchObject({
        value: 0,
        quality: 'idle',
      })
      expect(await read({ query: 'sum(rate(renamed[5s]))', emptyIs: 0, existsQuery: 'count(renamed)' })).toMatchObject({
        quality: 'none',
      })
      expect(await read({ query: '0 / vector(0)', emptyIs: 0 })).toMatchObject({ value: 0, quality: 'idle' })
      expect((await read({ query: 'sum(' })).problem).toMatch(/^status 400: .*parse error/)
    })

    it('tell a run all of its marks, up to the notification', async () => {
      const { shop, controller } = shopOn(systemClock)
      const { prometheus, sink, prometheusUrl, alertmanagerUrl } = await monitoring(() => shop.read(), [STOCK_LOW])
      // No rule gives a watchdog here, and one that is named must be there.
      const alertmanager = alertmanagerAlerts({ url: alertmanagerUrl })
      const experiment = shopExperiment(shop, {
        steadyState: {
          holdForMs: 1_000,
          timeoutMs: 30_000,
          probes: [
            {
              name: 'stock',
              type: 'prometheus',
              url: prometheusUrl,
              query: 'last_over_time(shop_stock[5s])',
              tolerance: { above: 0 },
            },
          ],
          mayBreach: ['stock'],
        },
        method: [{ inject: { target: 'shop', fault: 'empty-shelves', leaseMs: 10_000 } }],
        alerts: {
          mustFire: [{ name: 'StockLow', labels: { severity: 'page' }, withinMs: 10_000 }],
          resolveWithinMs: 30_000,
        },
        recovery: { withinMs: 30_000 },
      })
      const { verdict, evidence } = await runExperiment(experiment, {
        controller,
        alerts: [prometheus, alertmanager],
        sink,
      })
      expect(verdict, verdict.cause).toMatchObject({
        name: 'pass',
        alerts: [{ name: 'StockLow', outcome: 'detected' }],
      })
      expect(Object.keys(verdict.marks).sort()).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'])
      expect(evidence.notifications?.[0]).toMatchObject({
        name: 'StockLow',
        labels: { severity: 'page' },
        status: 'firing',
      })
      // A run is over when its alerts are gone; that they are is told later.
      await eventually(() => expect(sink.notifications.map(({ status }) => status)).toEqual(['firing', 'resolved']))
      expect(evidence.rulesFound).toEqual(['StockLow'])
    })
  },
)
