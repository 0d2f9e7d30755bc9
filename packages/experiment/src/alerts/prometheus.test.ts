import { describe, expect, it } from 'vitest'
import { serve, serveAnswers } from '../../test/support.js'
import { prometheusAlerts } from './prometheus.js'

const alerts = {
  status: 'success',
  data: {
    alerts: [
      {
        labels: { alertname: 'LagHigh', severity: 'page' },
        annotations: {},
        state: 'firing',
        activeAt: '2026-01-01T00:00:00.5Z',
        value: '1e+00',
      },
      {
        labels: { alertname: 'Slow' },
        annotations: {},
        state: 'pending',
        activeAt: '2026-01-01T00:00:01Z',
        value: '1e+00',
      },
      { labels: { alertname: 'Quiet' }, annotations: {}, state: 'inactive' },
    ],
  },
}
const rules = {
  status: 'success',
  data: {
    groups: [
      {
        name: 'slis',
        file: 'rules.yml',
        interval: 1,
        rules: [
          {
            type: 'alerting',
            name: 'LagHigh',
            state: 'firing',
            query: 'histogram_quantile(0.95, rate(lag_bucket[10s])) > 100',
            duration: 2,
            keepFiringFor: 3,
            health: 'ok',
            labels: { severity: 'page' },
            annotations: {},
            alerts: [],
          },
          { type: 'recording', name: 'lag:p95', query: 'x', health: 'ok' },
        ],
      },
      {
        name: 'more',
        file: 'rules.yml',
        interval: 0.5,
        rules: [
          {
            type: 'alerting',
            name: 'Broken',
            query: 'a + on(b) c',
            duration: 0,
            health: 'err',
            lastError: 'many-to-many',
          },
          { type: 'alerting', name: 'New', query: 'up', duration: 0, health: 'unknown' },
        ],
      },
    ],
  },
}

describe('alerts of a Prometheus', () => {
  it('leave out the one that always fires to prove that alerting works', async () => {
    const url = await serveAnswers({ '/api/v1/alerts': alerts })
    expect((await prometheusAlerts({ url, watchdog: 'LagHigh' }).read()).map(({ name }) => name)).toEqual(['Slow'])
  })

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
      {
        name: 'LagHigh',
        forMs: 2_000,
        intervalMs: 1_000,
        rangeMs: 10_000,
        isHealthy: true,
        labels: { severity: 'page' },
        keepFiringForMs: 3_000,
      },
      { name: 'Broken', forMs: 0, intervalMs: 500, rangeMs: 0, isHealthy: false, problem: 'many-to-many' },
      { name: 'New', forMs: 0, intervalMs: 500, rangeMs: 0, isHealthy: true },
    ])
  })

  it('are scraped for as often as the slowest target says, or as the caller does', async () => {
    const url = await serveAnswers({
      '/api/v1/targets': {
        status: 'success',
        data: { activeTargets: [{ scrapeInterval: '1s' }, { scrapeInterval: '15s' }, {}] },
      },
    })
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
    await expect(prometheusAlerts({ url: 'http://127.0.0.1:1' }).read()).rejects.toThrow(
      /The monitoring system did not answer http:\/\/127\.0\.0\.1:1\/api\/v1\/alerts/,
    )
    const url = await serve(() => undefined)
    await expect(prometheusAlerts({ url, timeoutMs: 20 }).read()).rejects.toThrow('no answer within 20 ms')
    await expect(prometheusAlerts({ url }).read(AbortSignal.abort())).rejects.toThrow('the run is over')
  })
})

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const ms = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second)
const time = { status: 'success', data: { resultType: 'scalar', result: [ms(60) / 1_000, String(ms(60) / 1_000)] } }
const group = (lastEvaluation: string | undefined, rule: object = {}): object => ({
  name: 'g',
  interval: 1,
  lastEvaluation,
  rules: [{ type: 'alerting', name: 'A', query: 'up', duration: 0, health: 'ok', ...rule }],
})
const alive = (groups: readonly object[], targets: readonly object[] = []): Record<string, unknown> => ({
  '/api/v1/query': time,
  '/api/v1/rules': { status: 'success', data: { groups } },
  '/api/v1/targets': { status: 'success', data: { activeTargets: targets } },
})

describe('the health of a Prometheus', () => {
  it('is how long ago the slowest rules were evaluated and the slowest target was scraped, by its own clock', async () => {
    const recording = { name: 'r', interval: 1, lastEvaluation: at(1), rules: [{ type: 'recording', name: 'x' }] }
    const url = await serveAnswers(
      alive(
        [group(at(50)), group(at(40)), recording],
        [
          { lastScrape: at(45), health: 'up' },
          { lastScrape: at(55), health: 'up' },
        ],
      ),
    )
    const health = await prometheusAlerts({ url }).health?.()
    expect(health).toMatchObject({ evaluatedAt: ms(40), scrapedAt: ms(45), problems: [] })
    // The answers took some time, and so did reading them.
    expect(health?.now).toBeGreaterThanOrEqual(ms(60))
    expect((health?.now ?? 0) - ms(60)).toBeLessThan(5_000)
    expect(health?.nowErrorMs).toBeGreaterThanOrEqual(1)
  })

  it('is not hidden behind rules that are evaluated too seldom to be waited for', async () => {
    const hourly = (lastEvaluation: string): object => ({ ...group(lastEvaluation), interval: 3_600 })
    const evaluatedAt = async (...groups: readonly object[]): Promise<number | undefined> =>
      (await prometheusAlerts({ url: await serveAnswers(alive(groups)) }).health?.())?.evaluatedAt
    expect(await evaluatedAt(hourly(at(1)), group(at(50)), group(at(40)))).toBe(ms(40))
    expect(await evaluatedAt(hourly('0001-01-01T00:00:00Z'), group(at(50)))).toBe(ms(50))
    expect(await evaluatedAt(hourly(at(1)), hourly(at(2)))).toBe(ms(1))
  })

  it('is not hidden behind targets that are scraped too seldom to be waited for', async () => {
    const target = (scrapeInterval: string, lastScrape: string): object => ({
      scrapeInterval,
      lastScrape,
      health: 'up',
    })
    const url = await serveAnswers(
      alive([], [target('1h', '0001-01-01T00:00:00Z'), target('15s', at(50)), target('1m', at(40))]),
    )
    expect(await prometheusAlerts({ url }).health?.()).toMatchObject({ scrapedAt: ms(40) })
    expect(await prometheusAlerts({ url }).timing?.()).toEqual({ scrapeIntervalMs: 60_000 })
    const slow = await serveAnswers(alive([], [target('1h', at(1)), target('5m', at(2))]))
    expect(await prometheusAlerts({ url: slow }).health?.()).toMatchObject({ scrapedAt: ms(1) })
    expect(await prometheusAlerts({ url: slow }).timing?.()).toEqual({ scrapeIntervalMs: 3_600_000 })
  })

  it('tells of what never was evaluated, what is broken, and what is down', async () => {
    const url = await serveAnswers(
      alive(
        [group('0001-01-01T00:00:00Z'), group(at(50), { health: 'err', lastError: 'many\u001b[2J-to-many' })],
        [{ lastScrape: '0001-01-01T00:00:00Z', health: 'down', scrapeUrl: 'http://a/metrics', lastError: 'refused' }],
      ),
    )
    expect(await prometheusAlerts({ url }).health?.()).toMatchObject({
      evaluatedAt: 0,
      scrapedAt: 0,
      problems: [
        'The rules of group g have never been evaluated',
        'The rule A is broken: many\uFFFD[2J-to-many',
        'The target http://a/metrics cannot be scraped: refused',
      ],
    })
  })

  it('proves nothing where a group does not say when it was evaluated, or there is none', async () => {
    expect(
      await prometheusAlerts({ url: await serveAnswers(alive([group(at(50)), group(undefined)])) }).health?.(),
    ).toMatchObject({ evaluatedAt: undefined, scrapedAt: undefined })
    expect(await prometheusAlerts({ url: await serveAnswers(alive([])) }).health?.()).toMatchObject({
      evaluatedAt: undefined,
    })
  })

  it('does not move on where rules are never evaluated again, although everything answers', async () => {
    const reader = prometheusAlerts({ url: await serveAnswers(alive([group(at(1))])) })
    const [first, second] = [await reader.health?.(), await reader.health?.()]
    expect([first?.evaluatedAt, second?.evaluatedAt]).toEqual([ms(1), ms(1)])
  })

  it('leaves out what a source does not have, and rejects where it should answer and does not', async () => {
    const { '/api/v1/targets': _targets, ...without } = alive([group(at(50))])
    expect(await prometheusAlerts({ url: await serveAnswers(without) }).health?.()).toMatchObject({
      evaluatedAt: ms(50),
      scrapedAt: undefined,
    })
    expect(await prometheusAlerts({ url: await serveAnswers({}) }).health?.()).toEqual({
      now: undefined,
      nowErrorMs: 0,
      evaluatedAt: undefined,
      scrapedAt: undefined,
      problems: [],
    })
    const hanging = await serve((request, response) => {
      if (request.url?.includes('rules') !== true) response.end(JSON.stringify(time))
    })
    await expect(prometheusAlerts({ url: hanging, timeoutMs: 50 }).health?.()).rejects.toThrow('no answer within 50 ms')
  })
})

describe('what a Prometheus says is bounded', () => {
  const many = (entry: unknown): unknown[] => Array.from({ length: 10_001 }, () => entry)
  it.each([
    [
      'too many alerts',
      { alerts: many({ labels: {}, state: 'firing' }) },
      'The monitoring system sent 10001 alerts, more than 10000.',
    ],
    [
      'alerts that are no list',
      { alerts: { length: 1 } },
      'The monitoring system sent no list of alerts, but a value of type object.',
    ],
    ['labels that are no texts', { alerts: [{ labels: { a: {} }, state: 'firing' }] }, 'labels that are not strings'],
    [
      'labels without end',
      { alerts: [{ labels: { a: 'x'.repeat(1_025) }, state: 'firing' }] },
      'a label of more than 1024 characters',
    ],
    [
      'too many labels',
      { alerts: [{ labels: Object.fromEntries(many('x').map((_x, n) => [`l${n}`, 'x'])), state: 'firing' }] },
      'labels, more than 64.',
    ],
  ])('%s are no reading', async (_title, data, message) => {
    const url = await serveAnswers({ '/api/v1/alerts': { status: 'success', data } })
    await expect(prometheusAlerts({ url }).read()).rejects.toThrow(message)
  })
})
