import { describe, expect, it } from 'vitest'
import { serveAnswers } from '../../test/support.js'
import { alertmanagerAlerts } from './alertmanager.js'

const alert = (status: Partial<Record<'silencedBy' | 'inhibitedBy' | 'mutedBy', string[]>>): unknown => ({
  labels: { alertname: 'LagHigh', severity: 'page' }, annotations: {}, startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-01T00:05:00Z', status: { state: 'active', silencedBy: [], inhibitedBy: [], ...status }, receivers: [{ name: 'x' }],
})

describe('alerts of an Alertmanager', () => {
  it.each([
    ['fire', {}, false],
    ['may be silenced', { silencedBy: ['a'] }, true],
    ['may be inhibited', { inhibitedBy: ['a'] }, true],
    ['may be muted', { mutedBy: ['nights'] }, true],
  ])('%s', async (_title, status, isSilenced) => {
    const url = await serveAnswers({ '/api/v2/alerts': [alert(status)] })
    expect(await alertmanagerAlerts({ url }).read()).toEqual([{ name: 'LagHigh', labels: { severity: 'page' }, state: 'firing', activeAt: Date.UTC(2026, 0, 1), isSilenced }])
  })

  it.each([
    ['as the root route says', 'route:\n  receiver: a\n  group_wait: 1s\n', 1_000],
    ['as the slowest route says', 'route:\n  receiver: a\n  group_wait: 1s\n  routes:\n    - { receiver: b, group_wait: 2s, routes: [{ receiver: c, group_wait: 500ms }] }\n', 2_000],
    ['30 s where nothing is said', 'route:\n  receiver: a\n', 30_000],
    ['30 s where there is no configuration', undefined, 30_000],
  ])('wait for their group %s', async (_title, original, groupWaitMs) => {
    const url = await serveAnswers({ '/api/v2/status': { config: { original } } })
    expect(await alertmanagerAlerts({ url }).timing?.()).toEqual({ groupWaitMs })
  })

  it('cannot be read where none is', async () => {
    await expect(alertmanagerAlerts({ url: await serveAnswers({}) }).read()).rejects.toThrow('status 404')
  })
})
