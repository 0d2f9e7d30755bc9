import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startEvaluator } from './evaluator-thread.js'
import type { EvaluatorSettings } from './evaluator.js'

/** Settings with one group of rules. Without `metricsUrl` nothing serves the metrics. */
function settings(
  rules: readonly { readonly alert: string; readonly expr: string }[],
  metricsUrl = 'http://127.0.0.1:1/metrics',
): EvaluatorSettings {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'rules.yml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'own', rules }] }))
  return { job: 'app', metricsUrl, ruleFiles: [file], intervalMs: 100, webhookUrl: undefined }
}

it('refuses to start with a rule that it does not know', async () => {
  const rules = [{ alert: 'Down', expr: 'deriv(up[5m]) > 0' }]
  const { listening, ended } = startEvaluator(settings(rules), { onChange: () => undefined })
  await expect(listening).rejects.toThrow('This evaluator does not support `deriv')
  expect(await ended).toContain('deriv(up[5m])')
})

it('says of its target and its rules what Prometheus says', async () => {
  const server = createServer((_request, response) => void response.end('a 1\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  // The result of the second rule has two elements with the same labels, once their names are gone: only its evaluation shows that.
  const rules = [
    { alert: 'Down', expr: 'up == 0' },
    { alert: 'Broken', expr: '{__name__=~"up|a"} >= 0' },
  ]
  const evaluator = startEvaluator(settings(rules, `http://${host}/metrics`), { onChange: () => undefined })
  onTestFinished(() => evaluator.close())
  const address = await evaluator.listening
  const ask = async (path: string): Promise<unknown> =>
    ((await (await fetch(address + path)).json()) as { data: unknown }).data

  await vi.waitFor(async () =>
    expect(await ask('/api/v1/targets?state=active')).toMatchObject({ activeTargets: [{ health: 'up' }] }),
  )
  const {
    activeTargets: [target],
  } = (await ask('/api/v1/targets?state=active')) as { activeTargets: [Record<string, string>] }
  expect(target).toMatchObject({
    labels: { instance: host, job: 'app' },
    scrapeUrl: `http://${host}/metrics`,
    lastError: '',
    scrapeInterval: '100ms',
    scrapeTimeout: '1s',
  })
  expect(Math.abs(Date.parse(target['lastScrape'] ?? '') - Date.now())).toBeLessThan(20_000)

  interface Rules {
    groups: [{ lastEvaluation: string; rules: [Record<string, string>, Record<string, string>] }]
  }
  await vi.waitFor(async () => expect(((await ask('/api/v1/rules')) as Rules).groups[0].rules[1]['health']).toBe('err'))
  const {
    groups: [first],
  } = (await ask('/api/v1/rules')) as Rules
  expect(first.rules).toMatchObject([
    { name: 'Down', health: 'ok' },
    {
      name: 'Broken',
      health: 'err',
      lastError: expect.stringContaining('two elements with the same labels') as string,
    },
  ])
  await vi.waitFor(async () =>
    expect(Date.parse(((await ask('/api/v1/rules')) as Rules).groups[0].lastEvaluation)).toBeGreaterThan(
      Date.parse(first.lastEvaluation),
    ),
  )

  const {
    result: [, seconds],
  } = (await ask('/api/v1/query?query=time()')) as { result: [number, string] }
  expect(Math.abs(Number(seconds) * 1_000 - Date.now())).toBeLessThan(20_000)

  server.closeAllConnections()
  server.close()
  await vi.waitFor(async () =>
    expect(await ask('/api/v1/targets')).toMatchObject({
      activeTargets: [{ health: 'down', lastError: expect.stringMatching(/.+/) as string }],
    }),
  )
})

it('runs with other parts where a test replaces them', async () => {
  const given = settings([{ alert: 'Down', expr: 'up == 0' }])
  const built = new URL('../dist/index.js', import.meta.url).href
  const script = `
    const { workerData } = require('node:worker_threads')
    void import('${built}').then(({ runEvaluator }) => runEvaluator(workerData, { now: () => 12_000 }))`
  const evaluator = startEvaluator(
    given,
    { onChange: () => undefined },
    new Worker(script, { eval: true, workerData: given }),
  )
  onTestFinished(() => evaluator.close())
  const answer = await fetch(`${await evaluator.listening}/api/v1/query?query=time()`)
  expect(await answer.json()).toMatchObject({ data: { resultType: 'scalar', result: [12, '12'] } })
})
