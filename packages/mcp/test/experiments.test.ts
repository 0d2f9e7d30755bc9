import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERDICTS_WORST_FIRST } from '@chaos/experiment'
import { describe, expect, it, vi } from 'vitest'
import { permit, privateFolder, startApp, startClient, type Answered } from './support.js'

/** An experiment that silences the bus. Its steady state holds however slow the machine is. */
const experiment = (leaseMs: number): string =>
  JSON.stringify({
    title: 'the bus falls silent',
    steadyState: {
      holdForMs: 50,
      probes: [
        {
          name: 'silence',
          type: 'http',
          url: '${APP_URL}/',
          path: 'silentMs',
          timeoutMs: 30_000,
          tolerance: { atMost: 3_600_000 },
        },
      ],
    },
    method: [{ inject: { target: 'bus', fault: 'drop-events', leaseMs } }],
    recovery: { withinMs: 60_000 },
  })

async function world(leaseMs: number) {
  const [sockets, folder] = [privateFolder(), privateFolder()]
  const app = await startApp(sockets)
  await permit(sockets)
  writeFileSync(join(folder, 'silence.json'), experiment(leaseMs))
  const server = await startClient(sockets, {}, ['--folder', folder])
  const given = { path: 'silence.json', variables: { APP_URL: `http://127.0.0.1:${app.port}` } }
  return { ...server, sockets, folder, given }
}

interface RunData {
  readonly run: string
  readonly status: string
  readonly verdict?: { readonly verdict: string }
  readonly reports?: string
  readonly problem?: string
}
const runOf = ({ data }: Answered): RunData => data as unknown as RunData

describe('an experiment', () => {
  it('is run to its verdict, and its report is judged again when it is read', async () => {
    const { call, folder, given } = await world(300)
    let run = runOf(await call('run_experiment', { ...given, report: 'reports/one', waitMs: 20_000 }))
    while (run.status === 'running') run = runOf(await call('experiment_status', { run: run.run, waitMs: 20_000 }))
    expect(run, JSON.stringify(run)).toMatchObject({
      run: 'run-1',
      status: 'done',
      reports: 'reports/one/journal.json',
    })
    expect(VERDICTS_WORST_FIRST).toContain(run.verdict?.verdict)

    const path = join(folder, 'reports', 'one', 'journal.json')
    expect((await call('read_report', { path: 'reports/one' })).data).toEqual({ experiments: [run.verdict] })
    // The verdict that somebody wrote into the file is not believed.
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replaceAll(/"name": "(?:pass|inconclusive)"/g, '"name": "weakness-found"'),
    )
    expect((await call('read_report', { path: 'reports/one/journal.json' })).data).toEqual({
      experiments: [run.verdict],
    })
  })

  it('goes on after the wait, is stopped, and says so; no second one runs meanwhile', async () => {
    const { call, given } = await world(60_000)
    const run = runOf(await call('run_experiment', { ...given, waitMs: 0 }))
    expect(run).toMatchObject({ run: 'run-1', status: 'running' })
    await vi.waitFor(async () => expect((await call('list_injections')).text).toContain('test/drop-events'))
    expect((await call('run_experiment', given)).text).toContain('Run run-1 is going on')
    expect(runOf(await call('stop_experiment', { run: run.run }))).toMatchObject({
      status: 'done',
      verdict: { verdict: 'inconclusive' },
    })
    expect((await call('list_injections')).text).toContain('Nothing is in force.')
  })

  it('is aborted by stop_all', async () => {
    const { call, given } = await world(60_000)
    const { run } = runOf(await call('run_experiment', { ...given, waitMs: 0 }))
    expect((await call('stop_all')).data).toMatchObject({ runs: [run] })
    await vi.waitFor(async () =>
      expect(runOf(await call('experiment_status', { run, waitMs: 20_000 }))).not.toMatchObject({ status: 'running' }),
    )
    expect((await call('list_injections')).text).toContain('Nothing is in force.')
  })

  it('is refused if a lease outlives the permit, before anything is broken', async () => {
    const { call, given, sockets } = await world(600_000)
    await permit(sockets, 100_000)
    expect((await call('run_experiment', given)).text).toMatch(/^CHAOS_ARMING_CLOSED: The permit ends in \d+ \w+/)
    expect((await call('list_injections', { ended: true })).data).toMatchObject({ injections: [] })
  })

  it('keeps the values of its variables out of the audit log', async () => {
    const { call, given, sockets } = await world(300)
    await permit(sockets, 10)
    await call('run_experiment', { ...given, variables: { TOKEN: 'a-secret' } })
    const { text } = await call('audit_log')
    expect(text).toContain('"variables":["TOKEN"]')
    expect(text).not.toContain('a-secret')
  })

  it('is not read through a symbolic link that leads outside of the folder', async () => {
    const { call, given, folder } = await world(300)
    const outside = privateFolder()
    writeFileSync(join(outside, 'a.json'), experiment(300))
    symlinkSync(outside, join(folder, 'link'))
    mkdirSync(join(folder, 'inside'))
    for (const path of ['link/a.json', 'inside/../link/a.json'])
      expect((await call('run_experiment', { ...given, path })).text).toContain('must stay below')
    expect((await call('run_experiment', { ...given, report: 'link/new/folder' })).text).toContain('must stay below')
  })
})
