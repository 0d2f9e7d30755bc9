import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownAlertmanager, ownPrometheus } from '@chaos/test-servers'
import { onTestFinished, vi } from 'vitest'
import { alertmanagerAlerts, prometheusAlerts, webhookSink, type AlertReader, type WebhookSink } from '../src/index.js'
import { serve } from './support.js'

/** A scrape that comes too late on a loaded machine neither ends nor starts it. */
export const STOCK_LOW = {
  alert: 'StockLow',
  expr: 'min_over_time(shop_stock[5s]) < 1',
  for: '500ms',
  labels: { severity: 'page' },
}
/** Two shelves on each side, and nothing to tell them apart by. */
export const BROKEN = { alert: 'ShelfEmpty', expr: 'shop_shelf / on() shop_shelf < 1' }

export interface Monitoring {
  readonly prometheus: AlertReader
  readonly alertmanager: AlertReader
  readonly sink: WebhookSink
  readonly prometheusUrl: string
  readonly alertmanagerUrl: string
  /** Lets Prometheus stand still, as a machine does that swaps: its port takes connections, and nobody answers. */
  readonly freezePrometheus: () => void
}

/** A Prometheus that scrapes a shop, and an Alertmanager that it tells, and that tells a webhook. */
export async function monitoring(stock: () => number, rules: readonly object[]): Promise<Monitoring> {
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

/** Waits until a reading is as expected. A reading is a request, and what is waited for takes seconds. */
export function eventually<T>(read: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(read, { interval: 200 })
}
