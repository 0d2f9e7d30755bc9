/**
 * The main job, end to end: starts the dev server as a process of its own, puts steady load on it, and breaks it through the `chaos` command, one
 * experiment after another. Prints one table and the path of the report; exits 0 only if every verdict is a pass.
 *
 * `--all` runs every row of the fault table; `--only worker,adapter` some of them; `--report DIR` says where reports go.
 * `--fleet` is another demo: one experiment over three servers (`fleet/fleet-demo.ts`).
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { VERDICTS_WORST_FIRST, exitCodeOf, span, writeReports, type ExperimentResult } from '@chaos/experiment'
import { appFolder } from '../src/config.js'
import { chaosRun } from './chaos-run.js'
import { fleetDemo } from './fleet/fleet-demo.js'
import { startLoad, type Load } from './load.js'
import { startServerProcess, type ServerProcess } from './server-process.js'
import { table } from './table.js'

const MAIN_ROWS = ['no-fault', 'worker', 'eventbus', 'adapter']
const ALL_ROWS = ['no-fault', 'worker', 'worker-crash-loop', 'eventbus', 'adapter', 'adapter-one-in-five']

/** The most runs of an experiment until one can tell. */
const MAX_RUNS = 3

const { values: flags } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string' },
    report: { type: 'string' },
    fleet: { type: 'boolean', default: false },
  },
})
if (flags.fleet && (flags.all || flags.only !== undefined)) {
  console.error('`--fleet` is a demo of its own. Leave out `--all` and `--only`.')
  process.exit(2)
}
const names = flags.only?.split(',') ?? (flags.all ? ALL_ROWS : MAIN_ROWS)
const stranger = names.find((name) => !ALL_ROWS.includes(name))
if (stranger !== undefined) {
  console.error(`Expected one of ${ALL_ROWS.join(', ')}, got \`${stranger}\`.`)
  process.exit(2)
}

const reports = flags.report ?? join(appFolder, 'reports')
await mkdir(reports, { recursive: true })
if (flags.fleet) process.exit(await fleetDemo(reports))

const startedAt = performance.now()
const work = await mkdtemp(join(tmpdir(), 'flappyjournal-demo-'))
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
  const [load1m = 0] = loadavg()
  if (load1m > 2 * availableParallelism() && results.some(({ verdict }) => verdict.name !== 'pass'))
    console.log(
      `This machine is busy: its load average is ${load1m.toFixed(1)} on ${availableParallelism()} cores. That slows the journal as a fault does, so run the demo again once it is quiet.`,
    )
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

/** Runs an experiment, again if the run tells nothing of the app. All runs are listed. */
async function judged(
  name: string,
  { url, alertsUrl }: ServerProcess,
  traffic: Load,
): Promise<readonly ExperimentResult[]> {
  const runs: ExperimentResult[] = []
  for (;;) {
    const result = await chaosRun({
      file: join(appFolder, 'experiments', `${name}.yaml`),
      sockets: socketDirectory,
      url,
      alertsUrl,
      loadUrl: traffic.url,
      directory: join(reports, name),
    })
    runs.push(result)
    if (runs.length === MAX_RUNS || !wasUntold(result)) return runs
    console.log(`\n${name} was ${result.verdict.name}, as it may be on a busy machine: once more.\n`)
  }
}

/** Whether the machine was too slow to tell, or left the app no steady state before anything was broken. */
function wasUntold({ verdict }: ExperimentResult): boolean {
  return (
    verdict.name === 'gate-unmet' ||
    (verdict.name === 'inconclusive' && /machine (was |is )?too slow/i.test(verdict.cause))
  )
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
