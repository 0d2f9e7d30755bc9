import { describe, expect, it } from 'vitest'
import { serveAnswers } from '../../test/support.js'
import { alertmanagerAlerts } from './alertmanager.js'

const alert = (status: Partial<Record<'silencedBy' | 'inhibitedBy' | 'mutedBy', string[]>>): unknown => ({
  labels: { alertname: 'LagHigh', severity: 'page' },
  annotations: {},
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-01T00:05:00Z',
  status: { state: 'active', silencedBy: [], inhibitedBy: [], ...status },
  receivers: [{ name: 'x' }],
})

describe('alerts of an Alertmanager', () => {
  it.each([
    ['fire', {}, false],
    ['may be silenced', { silencedBy: ['a'] }, true],
    ['may be inhibited', { inhibitedBy: ['a'] }, true],
    ['may be muted', { mutedBy: ['nights'] }, true],
  ])('%s', async (_title, status, isSilenced) => {
    const url = await serveAnswers({ '/api/v2/alerts': [alert(status)] })
    expect(await alertmanagerAlerts({ url }).read()).toEqual([
      { name: 'LagHigh', labels: { severity: 'page' }, state: 'firing', activeAt: Date.UTC(2026, 0, 1), isSilenced },
    ])
  })

  it.each([
    ['as the root route says', 'route:\n  receiver: a\n  group_wait: 1s\n', 1_000],
    [
      'as the slowest route says',
      'route:\n  receiver: a\n  group_wait: 1s\n  routes:\n    - { receiver: b, group_wait: 2s, routes: [{ receiver: c, group_wait: 500ms }] }\n',
      2_000,
    ],
    ['30 s where nothing is said', 'route:\n  receiver: a\n', 30_000],
    ['30 s where there is no configuration', undefined, 30_000],
  ])('wait for their group %s', async (_title, original, groupWaitMs) => {
    const url = await serveAnswers({ '/api/v2/status': { config: { original } } })
    expect(await alertmanagerAlerts({ url }).timing?.()).toEqual({ groupWaitMs })
  })

  it('are sent to it, so that one that it lacks reached nobody', () => {
    expect(alertmanagerAlerts({ url: 'http://127.0.0.1:1' }).isReceiver).toBe(true)
  })

  it('cannot be read where none is', async () => {
    await expect(alertmanagerAlerts({ url: await serveAnswers({}) }).read()).rejects.toThrow('status 404')
  })

  it('do not include the watchdog, whose last coming proves that rules are evaluated', async () => {
    const dog = {
      labels: { alertname: 'Watchdog' },
      startsAt: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-01T00:01:00Z',
      status: {},
    }
    const url = await serveAnswers({
      '/api/v2/alerts': [dog, { ...dog, updatedAt: '2026-01-01T00:02:00Z' }, alert({})],
    })
    const reader = alertmanagerAlerts({ url, watchdog: 'Watchdog' })
    expect((await reader.read()).map(({ name }) => name)).toEqual(['LagHigh'])
    const before = Date.now()
    const health = await reader.health?.()
    const after = Date.now()
    expect(health).toMatchObject({ evaluatedAt: Date.UTC(2026, 0, 1, 0, 1), scrapedAt: undefined, problems: [] })
    const { now = 0, nowErrorMs = 0 } = health ?? {}
    expect([now >= before - nowErrorMs, now <= after + nowErrorMs]).toEqual([true, true])
    expect(health?.nowErrorMs).toBeGreaterThanOrEqual(1_000)
    expect(await alertmanagerAlerts({ url }).health?.()).toMatchObject({ evaluatedAt: undefined, problems: [] })
    expect(await alertmanagerAlerts({ url, watchdog: 'Other' }).health?.()).toMatchObject({
      evaluatedAt: undefined,
      problems: ['The alert Other, which always fires, does not'],
    })
  })

  it('are bounded, and so is the configuration', async () => {
    const url = await serveAnswers({
      '/api/v2/alerts': {},
      '/api/v2/status': { config: { original: 'x'.repeat(500_001) } },
    })
    await expect(alertmanagerAlerts({ url }).read()).rejects.toThrow(
      'The monitoring system sent no list of alerts, but a value of type object.',
    )
    await expect(alertmanagerAlerts({ url }).timing?.()).rejects.toThrow('characters, more than 500000.')
    const deep = await serveAnswers({ '/api/v2/status': { config: { original: '['.repeat(2_000) } } })
    await expect(alertmanagerAlerts({ url: deep }).timing?.()).rejects.toThrow(
      'The configuration is nested deeper than 100 levels.',
    )
  })
})
