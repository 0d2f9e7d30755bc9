/**
 * The main job, end to end: starts the dev server as a process of its own, puts steady load on it, and breaks it through the `chaos` command, one
 * experiment after another. Prints one table and the path of the report; exits 0 only if every verdict is a pass.
 *
 * `--all` runs every row of the fault table; `--only worker,adapter` some of them; `--report DIR` says where reports go.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, mkdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { VERDICTS_WORST_FIRST, exitCodeOf, judge, loadExperiment, span, writeReports, type ExperimentResult, type ResultJournal } from '@chaos/experiment'
import { appFolder } from '../src/config.js'
import { startLoad, type Accounts, type Load } from './load.js'
import { startServerProcess, type ServerProcess } from './server-process.js'
import { table } from './table.js'

const MAIN_ROWS = ['no-fault', 'worker', 'eventbus', 'adapter']
const ALL_ROWS = ['no-fault', 'worker', 'worker-crash-loop', 'eventbus', 'adapter', 'adapter-one-in-five']
/** Above this event loop delay of the load generator (99th percentile, ms) the machine is too slow to judge anything on it. */
const MAX_OWN_DELAY_MS = 100

interface Row {
  readonly name: string
  readonly result: ExperimentResult
  readonly accounts: Accounts
}

const { values: flags } = parseArgs({ options: { all: { type: 'boolean', default: false }, only: { type: 'string' }, report: { type: 'string' } } })
const names = flags.only?.split(',') ?? (flags.all ? ALL_ROWS : MAIN_ROWS)
const stranger = names.find((name) => !ALL_ROWS.includes(name))
if (stranger !== undefined) {
  console.error(`Expected one of ${ALL_ROWS.join(', ')}, got \`${stranger}\`.`)
  process.exit(2)
}

const startedAt = performance.now()
const work = await mkdtemp(join(tmpdir(), 'flappyjournal-demo-'))
const reports = flags.report ?? join(appFolder, 'reports')
await mkdir(reports, { recursive: true })
const secret = randomBytes(32).toString('hex')
const socketDirectory = join(work, 'sockets')

let server: ServerProcess | undefined
let load: Load | undefined
let exitCode: number
try {
  server = await startServerProcess({ JWT_SECRET: secret, LEVEL_PATH: join(work, 'level'), CHAOS_SOCKET_DIR: socketDirectory }, join(reports, 'server.log'))
  load = await startLoad({ url: server.url, secret })
  console.log(`FlappyJournal runs at ${server.url} (process ${server.pid}), under steady load.\n`)
  await pause(2_000)

  const rows: Row[] = []
  for (const name of names) rows.push(await judged(name, server, load))
  const results = rows.map(({ result }) => result)
  const { html } = await writeReports(results, { directory: reports })

  console.log(`\n${summary(rows)}\n`)
  for (const { result } of rows) if (result.verdict.name !== 'pass') console.log(`${result.title}: ${result.verdict.name}. ${result.verdict.cause}`)
  console.log(`Report: ${html}`)
  console.log(`Ran ${rows.length} experiments in ${span(performance.now() - startedAt)}.`)
  const worst = VERDICTS_WORST_FIRST.find((verdict) => results.some((result) => result.verdict.name === verdict)) ?? 'inconclusive'
  exitCode = exitCodeOf({ name: worst })
} finally {
  await load?.stop()
  await server?.stop()
  await rm(work, { recursive: true, force: true })
}
process.exit(exitCode)

/** Runs an experiment; once more if the machine was too slow to tell. */
async function judged(name: string, { url, alertsUrl }: ServerProcess, traffic: Load): Promise<Row> {
  for (let attempt = 1; ; attempt += 1) {
    traffic.reset()
    const result = await runThroughCli(name, { APP_URL: url, ALERTS_URL: alertsUrl, LOAD_URL: traffic.url })
    const accounts = traffic.accounts()
    if (accounts.ownDelayMs > MAX_OWN_DELAY_MS) {
      const untrusted = `the load generator's own event loop was ${Math.round(accounts.ownDelayMs)} ms late (bound ${MAX_OWN_DELAY_MS} ms)`
      const experiment = await loadExperiment(experimentFile(name), { variables: { APP_URL: url, ALERTS_URL: alertsUrl, LOAD_URL: traffic.url } })
      const evidence = { ...result.evidence, untrusted }
      if (attempt > 1) return { name, accounts, result: { ...result, evidence, verdict: judge(experiment, evidence) } }
    } else if (result.verdict.name !== 'inconclusive' || attempt > 1) return { name, result, accounts }
    console.log(`\n${name} was inconclusive: once more.\n`)
  }
}

function experimentFile(name: string): string {
  return join(appFolder, 'experiments', `${name}.yaml`)
}

/** Runs `chaos run`, its progress on our terminal, and reads its journal. */
async function runThroughCli(name: string, variables: Readonly<Record<string, string>>): Promise<ExperimentResult> {
  const bin = join(createRequire(import.meta.url).resolve('@chaos/cli/package.json'), '..', 'dist', 'bin.js')
  const directory = join(reports, name)
  // An earlier run's must not be taken for this one's. Nothing else is removed: the directory may be anybody's.
  await rm(join(directory, 'journal.json'), { force: true })
  const args = ['run', experimentFile(name), '--name', 'flappyjournal', '--alerts-url', variables['ALERTS_URL'] ?? '', '--report', directory]
  for (const [key, value] of Object.entries(variables)) args.push('--var', `${key}=${value}`)
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CHAOS_SOCKET_DIR: socketDirectory } })
  const [code] = (await once(child, 'exit')) as [number | null]
  const text = await readFile(join(directory, 'journal.json'), 'utf8').catch(() => {
    throw new Error(`Expected \`chaos run\` to write its journal for ${name}, it exited with ${code ?? 'a signal'}.`)
  })
  const [result] = (JSON.parse(text) as ResultJournal).experiments
  if (result === undefined) throw new Error(`Expected the journal of ${name} to hold a result.`)
  return result
}

function summary(rows: readonly Row[]): string {
  const heads = ['fault', 'SLI breached', 'alert expected: fired', 'time to detect', 'time to recover', 'entries acknowledged/lost', 'verdict']
  return table([
    heads,
    ...rows.map(({ result: { title, evidence, verdict }, accounts }) => [
      title,
      evidence.breached.join('\n') || 'none',
      verdict.alerts.filter(({ mustFire }) => mustFire).map(({ name, outcome, afterMs }) => `${name}: ${outcome === 'detected' ? `after ${span(afterMs)}` : outcome}`).join('\n') || 'none: none',
      span(verdict.timeToDetectMs),
      span(verdict.timeToRecoverMs),
      `${accounts.acknowledged}/${accounts.lost ?? '?'}`,
      verdict.name,
    ]),
  ])
}
