import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@chaos/core/authoring'
import { hasPrograms, ownAlertmanager, ownPrometheus } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  alertmanagerAlerts,
  prometheusAlerts,
  runExperiment,
  webhookSink,
  type AlertReader,
  type WebhookSink,
} from '../src/index.js'
import type { Probe } from '../src/probes/probe-types.js'
import { probeReader, type Sample } from '../src/probes/read.js'
import { serve, shopExperiment, shopOn } from './support.js'

/** A scrape that comes too late on a loaded machine neither ends nor starts it. */
const STOCK_LOW = {
  alert: 'StockLow',
  expr: 'min_over_time(shop_stock[5s]) < 1',
  for: '500ms',
  labels: { severity: 'page' },
}
/** Two shelves on each side, and nothing to tell them apart by. */
const BROKEN = { alert: 'ShelfEmpty', expr: 'shop_shelf / on() shop_shelf < 1' }

interface Monitoring {
  readonly prometheus: AlertReader
  readonly alertmanager: AlertReader
  readonly sink: WebhookSink
  readonly prometheusUrl: string
  readonly alertmanagerUrl: string
  /** Lets Prometheus stand still, as a machine does that swaps: its port takes connections, and nobody answers. */
  readonly freezePrometheus: () => void
}

/** A Prometheus that scrapes a shop, and an Alertmanager that it tells, and that tells a webhook. */
async function monitoring(stock: () => number, rules: readonly object[]): Promise<Monitoring> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-rules-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const ruleFile = join(folder, 'rules.yml')
  writeFileSync(ruleFile, JSON.stringify({ groups: [{ name: 'shop', interval: '250ms', rules }] }))
  const exporter = await serve((_request, response) =>
    response.end(`shop_stock ${stock()}\nshop_shelf{shelf="a"} 1\nshop_shelf{shelf="b"} 1\n`),
  )
  const sink = await webhookSink()
  onTestFinished(() => sink.close())
  const alertmanager = await ownAlertmanager({
    route: { receiver: 'sink', group_by: ['alertname'], group_wait: '250ms', group_interval: '500ms' },
    receivers: [{ name: 'sink', webhook_configs: [{ url: sink.url, send_resolved: true }] }],
  })
  onTestFinished(alertmanager.stop)
  const prometheus = await ownPrometheus({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    rule_files: [ruleFile],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }] },
    scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [new URL(exporter).host] }] }],
  })
  onTestFinished(prometheus.stop)
  const [prometheusUrl, alertmanagerUrl] = [
    `http://127.0.0.1:${prometheus.port}`,
    `http://127.0.0.1:${alertmanager.port}`,
  ]
  return {
    prometheus: prometheusAlerts({ url: prometheusUrl }),
    alertmanager: alertmanagerAlerts({ url: alertmanagerUrl, watchdog: 'Watchdog' }),
    sink,
    prometheusUrl,
    alertmanagerUrl,
    freezePrometheus: () => void prometheus.process.kill('SIGSTOP'),
  }
}

describe.runIf(hasPrograms('prometheus', 'prometheus-alertmanager'))(
  'a real Prometheus and Alertmanager (skipped without: Debian packages prometheus, prometheus-alertmanager)',
  () => {
    it('are read as they are: rules, timing, an alert on its way, silenced, and gone', async () => {
      let stock = 0
      const { prometheus, alertmanager, sink, alertmanagerUrl } = await monitoring(() => stock, [STOCK_LOW, BROKEN])
      await vi.waitFor(async () =>
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

      await vi.waitFor(() =>
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
      await vi.waitFor(async () => expect(await alertmanager.read()).toEqual([{ ...reached, isSilenced: true }]))

      stock = 7
      await vi.waitFor(async () => expect([await prometheus.read(), await alertmanager.read()]).toEqual([[], []]))
    })

    it('show that they are alive, by their own clocks, until they stand still', async () => {
      const { prometheus, alertmanager, prometheusUrl, alertmanagerUrl, freezePrometheus } = await monitoring(
        () => 7,
        [STOCK_LOW, BROKEN],
      )
      await vi.waitFor(async () =>
        expect(await prometheus.health?.()).toMatchObject({
          problems: [expect.stringContaining('The rule ShelfEmpty is broken: ') as string],
        }),
      )
      const seen = await vi.waitFor(async () => {
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
      await vi.waitFor(async () => {
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
      const received = await vi.waitFor(async () => {
        const told = await alertmanager.health?.()
        expect(told?.evaluatedAt).toBeGreaterThanOrEqual(askedAt)
        return told
      })
      expect(Math.abs((received?.now ?? 0) - Date.now())).toBeLessThanOrEqual((received?.nowErrorMs ?? 0) + 100)
      expect(await alertmanager.read()).toEqual([])

      freezePrometheus()
      const frozen = prometheusAlerts({ url: prometheusUrl, timeoutMs: 300 })
      // The signal stops its threads a moment after it was sent.
      await vi.waitFor(() => expect(frozen.health?.()).rejects.toThrow('no answer within 300 ms'))
      await expect(frozen.read()).rejects.toThrow('no answer within 300 ms')
    })

    it('tell a probe when its data was scraped, and whether a series exists', async () => {
      const { prometheusUrl: url } = await monitoring(() => 7, [STOCK_LOW])
      const base = { name: 'p', type: 'prometheus', url, tolerance: { atLeast: 0 } } as const
      const read = (more: object): Promise<Sample> => probeReader({ ...base, ...more } as Probe, systemClock)()
      const since = Date.now()
      await vi.waitFor(async () => expect((await read({ query: 'shop_stock' })).dataAt).toBeGreaterThan(since - 5_000))
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
      await vi.waitFor(() => expect(sink.notifications.map(({ status }) => status)).toEqual(['firing', 'resolved']))
      expect(evidence.rulesFound).toEqual(['StockLow'])
    })
  },
)
