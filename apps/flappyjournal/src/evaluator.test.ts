import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { startEvaluator, type EvaluatorSettings, type EvaluatorThread } from '@chaos/mini-prometheus'
import { expect, it, onTestFinished, vi } from 'vitest'
import { superviseEvaluator } from './evaluator.js'

/** A rule file with one rule, whose metrics nobody serves. */
function settings(expr: string): EvaluatorSettings {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'rules.yml')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'own', rules: [{ alert: 'Down', expr }] }] }))
  return {
    job: 'flappyjournal',
    metricsUrl: 'http://127.0.0.1:1/metrics',
    ruleFiles: [file],
    intervalMs: 50,
    webhookUrl: undefined,
  }
}

it('replaces an evaluator that died, says so, and fires again what still holds', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => said.mockRestore())
  const threads: EvaluatorThread[] = []
  const states: string[] = []
  const evaluator = await superviseEvaluator(
    settings('up == 0'),
    ({ name, state }) => states.push(`${name} ${state}`),
    {
      newThread(...given) {
        const thread = startEvaluator(...given)
        threads.push(thread)
        return thread
      },
    },
  )
  onTestFinished(() => evaluator.close())
  await vi.waitFor(() => expect(states).toEqual(['Down firing']))
  const before = evaluator.url
  threads[0]?.terminate()
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
  expect(await Promise.all(threads.map(({ ended }) => ended))).toEqual([
    'It exited with code 1.',
    expect.stringMatching(/^It exited with code \d\.$/),
  ])
})

it('replaces an evaluator that answers and no longer evaluates, and says so', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => said.mockRestore())
  const states: string[] = []
  let starts = 0
  // The first one listens, evaluates once, and goes on living.
  const frozen =
    "const { parentPort } = require('node:worker_threads'); parentPort.postMessage({ type: 'listening', port: 1 }); parentPort.postMessage({ type: 'evaluated' }); setInterval(() => {}, 1000)"
  const evaluator = await superviseEvaluator(
    settings('up == 0'),
    ({ name, state }) => states.push(`${name} ${state}`),
    {
      newThread: (given, listeners) =>
        (starts += 1) === 1
          ? startEvaluator(given, listeners, new Worker(frozen, { eval: true }))
          : startEvaluator(given, listeners),
      silenceMs: 2_000,
    },
  )
  onTestFinished(() => evaluator.close())
  await vi.waitFor(() => expect(states).toEqual(['Down firing']))
  expect(starts).toBe(2)
  expect(said.mock.calls).toEqual([
    [expect.stringMatching(/"event":"alert evaluator died","cause":"It did not evaluate for 2000 ms."/)],
  ])
})
