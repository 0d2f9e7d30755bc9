import { describe, expect, it } from 'vitest'
import { serve, serveAnswers } from '../../test/support.js'
import { prometheusAlerts } from './prometheus.js'

const alerts = {
  status: 'success',
  data: {
    alerts: [
      { labels: { alertname: 'LagHigh', severity: 'page' }, annotations: {}, state: 'firing', activeAt: '2026-01-01T00:00:00.5Z', value: '1e+00' },
      { labels: { alertname: 'Slow' }, annotations: {}, state: 'pending', activeAt: '2026-01-01T00:00:01Z', value: '1e+00' },
      { labels: { alertname: 'Quiet' }, annotations: {}, state: 'inactive' },
    ],
  },
}
const rules = {
  status: 'success',
  data: {
    groups: [
      {
        name: 'slis', file: 'rules.yml', interval: 1,
        rules: [
          { type: 'alerting', name: 'LagHigh', state: 'firing', query: 'histogram_quantile(0.95, rate(lag_bucket[10s])) > 100', duration: 2, health: 'ok', labels: {}, annotations: {}, alerts: [] },
          { type: 'recording', name: 'lag:p95', query: 'x', health: 'ok' },
        ],
      },
      { name: 'more', file: 'rules.yml', interval: 0.5, rules: [{ type: 'alerting', name: 'Broken', query: 'a + on(b) c', duration: 0, health: 'err', lastError: 'many-to-many' }, { type: 'alerting', name: 'New', query: 'up', duration: 0, health: 'unknown' }] },
    ],
  },
}

describe('alerts of a Prometheus', () => {
  it('are the pending and the firing ones, with the time their condition began', async () => {
    const url = await serveAnswers({ '/api/v1/alerts': alerts })
    expect(await prometheusAlerts({ url: `${url}/` }).read()).toEqual([
      { name: 'LagHigh', labels: { severity: 'page' }, state: 'firing', activeAt: Date.UTC(2026, 0, 1, 0, 0, 0, 500) },
      { name: 'Slow', labels: {}, state: 'pending', activeAt: Date.UTC(2026, 0, 1, 0, 0, 1) },
    ])
  })

  it('have rules, with all that decides how soon they can fire', async () => {
    const url = await serveAnswers({ '/api/v1/rules': rules })
    expect(await prometheusAlerts({ url }).rules?.()).toEqual([
      { name: 'LagHigh', forMs: 2_000, intervalMs: 1_000, rangeMs: 10_000, isHealthy: true },
      { name: 'Broken', forMs: 0, intervalMs: 500, rangeMs: 0, isHealthy: false, problem: 'many-to-many' },
      { name: 'New', forMs: 0, intervalMs: 500, rangeMs: 0, isHealthy: true },
    ])
  })

  it('are scraped for as often as the slowest target says, or as the caller does', async () => {
    const url = await serveAnswers({ '/api/v1/targets': { status: 'success', data: { activeTargets: [{ scrapeInterval: '1s' }, { scrapeInterval: '15s' }, {}] } } })
    expect(await prometheusAlerts({ url }).timing?.()).toEqual({ scrapeIntervalMs: 15_000 })
    expect(await prometheusAlerts({ url, scrapeIntervalMs: 500 }).timing?.()).toEqual({ scrapeIntervalMs: 500 })
  })

  it.each([
    ['refuses', { '/other': {} }, /status 404/],
    ['answers with an error', { '/api/v1/alerts': { status: 'error', error: 'overloaded' } }, /overloaded/],
    ['answers with something else', { '/api/v1/alerts': 'not JSON' }, /JSON/],
  ])('cannot be read from one that %s', async (_title, answers, message) => {
    const url = await serveAnswers(answers)
    await expect(prometheusAlerts({ url }).read()).rejects.toThrow(message)
  })

  it('cannot be read from one that is not there, or does not answer', async () => {
    await expect(prometheusAlerts({ url: 'http://127.0.0.1:1' }).read()).rejects.toThrow(/Expected an answer of the monitoring at http:\/\/127\.0\.0\.1:1\/api\/v1\/alerts/)
    const url = await serve(() => undefined)
    await expect(prometheusAlerts({ url, timeoutMs: 20 }).read()).rejects.toThrow('no answer within 20 ms')
    await expect(prometheusAlerts({ url }).read(AbortSignal.abort())).rejects.toThrow('the run is over')
  })
})
