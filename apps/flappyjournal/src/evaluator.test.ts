import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished, vi } from 'vitest'
import { evaluatorThread, startEvaluator } from './evaluator.js'

/** A rule file with one rule, whose metrics nobody serves. */
function settings(expr: string) {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'rules.yml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'own', rules: [{ alert: 'Down', expr }] }] }))
  return { metricsUrl: 'http://127.0.0.1:1/metrics', ruleFiles: [file], intervalMs: 50, webhookUrl: undefined }
}

it('replaces an evaluator that died, says so, and fires again what still holds', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => said.mockRestore())
  const threads: Worker[] = []
  const states: string[] = []
  const evaluator = await startEvaluator(settings('up == 0'), ({ name, state }) => states.push(`${name} ${state}`), {
    newThread(given) {
      const thread = evaluatorThread(given)
      threads.push(thread)
      return thread
    },
  })
  onTestFinished(() => evaluator.close())
  await vi.waitFor(() => expect(states).toEqual(['Down firing']))
  const before = evaluator.url
  await threads[0]?.terminate()
  await vi.waitFor(() => expect(states).toEqual(['Down firing', 'Down firing']))
  expect(evaluator.url).not.toBe(before)
  expect(await (await fetch(`${evaluator.url}/alerts`)).json()).toMatchObject({
    alerts: [{ name: 'Down', state: 'firing' }],
  })
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/"event":"alert evaluator died","cause":"It exited with code 1."/)],
  ])
  await evaluator.close()
  await evaluator.close()
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1])
})

it('refuses to start with a rule that it does not know', async () => {
  await expect(startEvaluator(settings('deriv(up[5m]) > 0'), () => undefined)).rejects.toThrow(
    'Expected PromQL that this evaluator knows',
  )
})

it('replaces an evaluator that answers and no longer evaluates, and says so', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => said.mockRestore())
  const states: string[] = []
  let starts = 0
  // The first one listens, evaluates once, and goes on living.
  const frozen =
    "const { parentPort } = require('node:worker_threads'); parentPort.postMessage({ type: 'listening', port: 1 }); parentPort.postMessage({ type: 'evaluated' }); setInterval(() => {}, 1000)"
  const evaluator = await startEvaluator(settings('up == 0'), ({ name, state }) => states.push(`${name} ${state}`), {
    newThread: (given) => ((starts += 1) === 1 ? new Worker(frozen, { eval: true }) : evaluatorThread(given)),
    silenceMs: 2_000,
  })
  onTestFinished(() => evaluator.close())
  await vi.waitFor(() => expect(states).toEqual(['Down firing']), { timeout: 20_000 })
  expect(starts).toBe(2)
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/"event":"alert evaluator died","cause":"It had not evaluated for 2000 ms."/)],
  ])
})

it('says of its target and its rules what Prometheus says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'rules.yml')
  // The second one has two elements with the same labels, once their names are gone: that is only seen when it is evaluated.
  writeFileSync(
    file,
    JSON.stringify({
      groups: [
        {
          name: 'own',
          rules: [
            { alert: 'Down', expr: 'up == 0' },
            { alert: 'Broken', expr: '{__name__=~"up|a"} >= 0' },
          ],
        },
      ],
    }),
  )
  const server = createServer((_request, response) => void response.end('a 1\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const evaluator = await startEvaluator(
    { metricsUrl: `http://${host}/metrics`, ruleFiles: [file], intervalMs: 100, webhookUrl: undefined },
    () => undefined,
  )
  onTestFinished(() => evaluator.close())
  const ask = async (path: string): Promise<unknown> =>
    ((await (await fetch(evaluator.url + path)).json()) as { data: unknown }).data

  await vi.waitFor(async () =>
    expect(await ask('/api/v1/targets?state=active')).toMatchObject({ activeTargets: [{ health: 'up' }] }),
  )
  const {
    activeTargets: [target],
  } = (await ask('/api/v1/targets?state=active')) as { activeTargets: [Record<string, string>] }
  expect(target).toMatchObject({
    labels: { instance: host, job: 'flappyjournal' },
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
    { name: 'Broken', health: 'err', lastError: expect.stringContaining('differ in their labels') as string },
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
