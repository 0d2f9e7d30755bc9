import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
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
  const evaluator = await startEvaluator(settings('up == 0'), ({ name, state }) => states.push(`${name} ${state}`), (given) => {
    const thread = evaluatorThread(given)
    threads.push(thread)
    return thread
  })
  onTestFinished(() => evaluator.close())
  await vi.waitFor(() => expect(states).toEqual(['Down firing']))
  const before = evaluator.url
  await threads[0]?.terminate()
  await vi.waitFor(() => expect(states).toEqual(['Down firing', 'Down firing']))
  expect(evaluator.url).not.toBe(before)
  expect(await (await fetch(`${evaluator.url}/alerts`)).json()).toMatchObject({ alerts: [{ name: 'Down', state: 'firing' }] })
  expect(said.mock.calls).toEqual([[expect.stringMatching(/"event":"alert evaluator died","cause":"It exited with code 1."/)]])
  await evaluator.close()
  await evaluator.close()
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1])
})

it('refuses to start with a rule that it does not know', async () => {
  await expect(startEvaluator(settings('deriv(up[5m]) > 0'), () => undefined)).rejects.toThrow('Expected PromQL that this evaluator knows')
})
