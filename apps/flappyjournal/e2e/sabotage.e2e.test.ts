import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODES, type ResultJournal } from '@chaos/experiment'
import { describe, expect, it } from 'vitest'
import { ruleFile } from '../src/config.js'
import { folder, runScript } from './helpers.js'

/** Runs the demo for one experiment. */
async function demo(name: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string; cause: string; verdict: string }> {
  const reports = await folder()
  const mine = join(reports, 'mine.txt')
  await writeFile(mine, 'not a report')
  const ran = await runScript(['dist/demo.js', '--only', name, '--report', reports], env)
  const journal = JSON.parse(await readFile(join(reports, 'journal.json'), 'utf8').catch(() => {
    throw new Error(`Expected a journal, got:\n${ran.out}`)
  })) as ResultJournal
  expect(await readFile(mine, 'utf8')).toBe('not a report')
  const verdict = journal.experiments[0]?.verdict
  return { ...ran, cause: verdict?.cause ?? '', verdict: verdict?.name ?? '' }
}

describe('sabotage is caught', () => {
  it('a deleted alert rule is an alert failure', async () => {
    const rules = join(await folder(), 'rules.yml')
    const all = await readFile(ruleFile('alerts', 'demo'), 'utf8')
    const without = all.replace(/ {6}- alert: WorkerRestarted\n(?: {8}.*\n)+/, '')
    expect(without.length).toBeLessThan(all.length)
    await writeFile(rules, without)
    const { code, verdict, cause, out } = await demo('worker', { FLAPPY_RULES: rules })
    expect(verdict, out).toBe('alert-failed')
    expect(cause).toContain('WorkerRestarted')
    expect(code).toBe(EXIT_CODES['alert-failed'])
  })

  it('a supervisor that does not restart is not recovered', async () => {
    const { code, verdict, cause, out } = await demo('worker', { SUPERVISOR_RESTART: 'off' })
    expect(verdict, out).toBe('weakness-found')
    expect(cause).toMatch(/not recovered/i)
    expect(code).toBe(EXIT_CODES['weakness-found'])
  })

  it('a breaker without fallback is not recovered, or loses entries', async () => {
    const { code, verdict, cause, out } = await demo('adapter', { STORAGE_FALLBACK: 'off' })
    expect(verdict, out).toBe('weakness-found')
    expect(cause).toMatch(/not recovered|entries lost/i)
    expect(code).toBe(EXIT_CODES['weakness-found'])
  })
})
