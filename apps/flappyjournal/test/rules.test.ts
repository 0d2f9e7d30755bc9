import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { loadRules, parseExposition } from '@chaos/mini-prometheus'
import { appFolder, ruleFile } from '../src/config.js'
import { wireChaos } from '../src/chaos.js'
import { ask, start } from './start.js'

const files = (['full', 'demo'] as const).flatMap((windows) => [
  ruleFile('alerts', windows),
  ruleFile('chaos', windows),
])

/** Selectors of a query: a series and what is asked of its labels. */
function selectorsOf(query: string): { series: string; labels: [string, string, string][] }[] {
  return [...query.matchAll(/([a-z_]+[a-z])(?:\{([^}]*)\})?(?=[[\s)>=<]|$)/g)]
    .filter(([, series = '']) => /^(consciousness|eventbus|spiral|http|resonance|up$)/.test(series))
    .map(([, series = '', labels = '']) => ({
      series,
      labels: [...labels.matchAll(/(\w+)(=~|=)"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => [
        label,
        operator,
        value,
      ]),
    }))
}

describe('the alert rules', () => {
  it('are about series and labels that the app exports', async () => {
    vi.stubEnv('CHAOS', 'on')
    vi.stubEnv('CHAOS_TOKEN', 'a-token-of-more-than-sixteen-characters')
    const app = await start({ environment: 'development' }, wireChaos)
    await ask(app, 'POST', '/api/journal', { title: 't', content: 'c' })
    const exported = [
      ...parseExposition(await (await fetch(`${app.url}/metrics`)).text()),
      { name: 'up', labels: { job: 'flappyjournal' }, value: 1 },
    ]
    const rules = loadRules(files, 1_000)
    expect(rules).toHaveLength(24)
    for (const { name, query } of rules) {
      const selectors = selectorsOf(query)
      expect(selectors.length, name).toBeGreaterThan(0)
      for (const { series, labels } of selectors) {
        const candidates = exported.filter((sample) => sample.name === series)
        expect(candidates.length, `${name}: ${series}`).toBeGreaterThan(0)
        for (const [label, operator, value] of labels) {
          const fits = (given = ''): boolean =>
            operator === '=' ? given === value : new RegExp(`^(?:${value})$`).test(given)
          expect(
            candidates.some((sample) => fits(sample.labels[label])),
            `${name}: ${series}{${label}}`,
          ).toBe(true)
        }
      }
    }
  })

  it('look at histograms whose buckets reach ten times the threshold', async () => {
    const app = await start()
    await ask(app, 'GET', '/api/journal')
    const exported = parseExposition(await (await fetch(`${app.url}/metrics`)).text())
    for (const [series, threshold] of [
      ['http_request_duration_seconds_bucket', 0.15],
      ['eventbus_publish_lag_ms_bucket', 100],
    ] as const) {
      const bounds = exported
        .filter(({ name }) => name === series)
        .map(({ labels }) => Number(labels['le']))
        .filter(Number.isFinite)
      expect(Math.max(...bounds)).toBeGreaterThanOrEqual(threshold * 10)
      expect(bounds).toContain(threshold)
    }
  })

  it('each have a section in the runbook, which its annotation names', () => {
    const runbook = readFileSync(`${appFolder}RUNBOOK.md`, 'utf8')
    for (const { name, annotations } of loadRules(files, 1_000)) {
      expect(annotations['runbook_url']).toBe(`RUNBOOK.md#${name.toLowerCase()}`)
      expect(runbook).toContain(`\n## ${name}\n`)
    }
  })

  const hasPromtool = ((): boolean => {
    try {
      execFileSync('promtool', ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return process.env['CHAOS_REQUIRE_SERVICES'] === 'all'
    }
  })()
  it.runIf(hasPromtool)('are rules that Prometheus takes (skipped without promtool: Debian package prometheus)', () => {
    expect(execFileSync('promtool', ['check', 'rules', ...files], { encoding: 'utf8' })).toContain('SUCCESS')
  })
})

describe('the dashboard', () => {
  it('asks for series that the app exports, one panel an SLI', async () => {
    const app = await start()
    await ask(app, 'GET', '/api/journal')
    const exported = new Set(parseExposition(await (await fetch(`${app.url}/metrics`)).text()).map(({ name }) => name))
    const { panels } = JSON.parse(readFileSync(`${appFolder}dashboards/flappyjournal.json`, 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[]
    }
    expect(panels.length).toBeGreaterThanOrEqual(12)
    for (const { title, targets } of panels)
      for (const { expr } of targets)
        for (const { series } of selectorsOf(expr)) {
          expect(
            series === 'up' || series === 'resonance_mttr_seconds' || exported.has(series),
            `${title}: ${series}`,
          ).toBe(true)
        }
  })
})
