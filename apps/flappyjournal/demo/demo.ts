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
import {
  VERDICTS_WORST_FIRST,
  exitCodeOf,
  span,
  writeReports,
  type ExperimentResult,
  type ResultJournal,
} from '@chaos/experiment'
import { appFolder } from '../src/config.js'
import { startLoad, type Load } from './load.js'
import { startServerProcess, type ServerProcess } from './server-process.js'
import { table } from './table.js'

const MAIN_ROWS = ['no-fault', 'worker', 'eventbus', 'adapter']
const ALL_ROWS = ['no-fault', 'worker', 'worker-crash-loop', 'eventbus', 'adapter', 'adapter-one-in-five']

const { values: flags } = parseArgs({
  options: { all: { type: 'boolean', default: false }, only: { type: 'string' }, report: { type: 'string' } },
})
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
  server = await startServerProcess(
    { JWT_SECRET: secret, LEVEL_PATH: join(work, 'level'), CHAOS_SOCKET_DIR: socketDirectory },
    join(reports, 'server.log'),
  )
  load = await startLoad({ url: server.url, secret })
  console.log(`FlappyJournal runs at ${server.url} (process ${server.pid}), under steady load.\n`)
  await pause(2_000)

  const runs: (readonly ExperimentResult[])[] = []
  for (const name of names) runs.push(await judged(name, server, load))
  const results = runs.flat()
  const { html } = await writeReports(results, { directory: reports })

  console.log(`\n${summary(results)}\n`)
  for (const { title, verdict } of results)
    if (verdict.name !== 'pass') console.log(`${title}: ${verdict.name}. ${verdict.cause}`)
  console.log(`Report: ${html}`)
  console.log(`Ran ${results.length} experiments in ${span(performance.now() - startedAt)}.`)
  // A run that was repeated is listed, and the repetition counts.
  const final = runs.flatMap((own) => own.slice(-1))
  const worst =
    VERDICTS_WORST_FIRST.find((verdict) => final.some((result) => result.verdict.name === verdict)) ?? 'inconclusive'
  exitCode = exitCodeOf({ name: worst })
} finally {
  await load?.stop()
  await server?.stop()
  await rm(work, { recursive: true, force: true })
}
process.exit(exitCode)

/** Runs an experiment; once more if the machine was too slow to tell. Both runs are listed. */
async function judged(
  name: string,
  { url, alertsUrl }: ServerProcess,
  traffic: Load,
): Promise<readonly ExperimentResult[]> {
  const variables = { APP_URL: url, ALERTS_URL: alertsUrl, LOAD_URL: traffic.url }
  const first = await runThroughCli(name, variables)
  if (!wasTooSlow(first)) return [first]
  console.log(`\n${name} was inconclusive, since the machine was too slow: once more.\n`)
  return [first, await runThroughCli(name, variables)]
}

function wasTooSlow({ verdict }: ExperimentResult): boolean {
  return verdict.name === 'inconclusive' && /machine (was |is )?too slow/i.test(verdict.cause)
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
  const args = [
    'run',
    experimentFile(name),
    '--name',
    'flappyjournal',
    '--alerts-url',
    variables['ALERTS_URL'] ?? '',
    '--report',
    directory,
  ]
  for (const [key, value] of Object.entries(variables)) args.push('--var', `${key}=${value}`)
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CHAOS_SOCKET_DIR: socketDirectory },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  const text = await readFile(join(directory, 'journal.json'), 'utf8').catch(() => {
    throw new Error(`Expected \`chaos run\` to write its journal for ${name}, it exited with ${code ?? 'a signal'}.`)
  })
  const [result] = (JSON.parse(text) as ResultJournal).experiments
  if (result === undefined) throw new Error(`Expected the journal of ${name} to hold a result.`)
  return result
}

/** What was acknowledged and lost in a run, by the first and the last report of its load; `?/?` without any. */
function accountsOf({ evidence }: ExperimentResult): string {
  const first = evidence.load?.readings[0]?.report
  const last = evidence.load?.final?.report ?? evidence.load?.readings.at(-1)?.report
  return first === undefined || last === undefined
    ? '?/?'
    : `${last.acknowledged - first.acknowledged}/${last.lost - first.lost}`
}

function summary(results: readonly ExperimentResult[]): string {
  const heads = [
    'fault',
    'SLI breached',
    'alert expected: fired',
    'time to detect',
    'time to recover',
    'entries acknowledged/lost',
    'verdict',
  ]
  return table([
    heads,
    ...results.map((result) => {
      const { title, verdict } = result
      return [
        title,
        verdict.breached.join('\n') || 'none',
        verdict.alerts
          .filter(({ mustFire }) => mustFire)
          .map(
            ({ name, outcome, afterMs }) => `${name}: ${outcome === 'detected' ? `after ${span(afterMs)}` : outcome}`,
          )
          .join('\n') || 'none: none',
        span(verdict.timeToDetectMs),
        span(verdict.timeToRecoverMs),
        accountsOf(result),
        verdict.name,
      ]
    }),
  ])
}
