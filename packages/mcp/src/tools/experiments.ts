import { relative } from 'node:path'
import { ChaosError, type ChaosController, type PortableInjectOptions } from '@chaos/core'
import { DEFAULT_LEASE_MS, option } from '@chaos/core/authoring'
import type { LocalProcess } from '@chaos/control'
import type { Experiment } from '@chaos/experiment'
import { pathBelow } from '../experiments/paths.js'
import { readReport } from '../experiments/read-report.js'
import type { Run } from '../experiments/runs.js'
import type { Connection } from '../processes/connections.js'
import { plain } from '../shared/bounded.js'
import { processOption } from './process-option.js'
import { listOf, objectOf, runSchema, verdictSchema } from './schemas.js'
import { defineTool, type Call, type Session } from './tool.js'
import { processView, runLine, runView } from './views.js'

/** The longest wait of one call for a run, in ms. Clients give a call up after a minute. */
const MAX_WAIT_MS = 45_000
const DATA_FILE = /\.(?:ya?ml|json)$/

const waitOption = option.optional(
  option.count(
    'The longest wait for the verdict, in ms. Default and at most 45,000. The run goes on afterwards.',
    0,
    MAX_WAIT_MS,
  ),
  MAX_WAIT_MS,
)

export const runExperiment = defineTool({
  name: 'run_experiment',
  title: 'Run an experiment',
  description:
    'Runs an experiment file (YAML or JSON, below the folder of this server) on a process, as `chaos run` does, and judges it. Refused until a person has typed `chaos-mcp open` in a terminal for long enough. If it takes longer than `waitMs`, call experiment_status. A cancelled call aborts the run.',
  effect: 'break',
  input: {
    process: processOption,
    path: option.text('The file, relative to the folder of this server.', 1_000),
    variables: option.optional(option.fields('Values of ${NAME} in the file.')),
    alertsUrl: option.optional(option.text('The address of the Prometheus that evaluates the alert rules.', 2_000)),
    report: option.optional(
      option.text(
        'A folder below that of this server, for journal.json, junit.xml and report.html. Default: none.',
        1_000,
      ),
    ),
    waitMs: waitOption,
  },
  output: runSchema,
  async run(args, session, call) {
    const { connections, runs, root } = session
    if (!DATA_FILE.test(args.path))
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'Only experiments as data are run: .yaml, .yml or .json. A module is code; a person runs it with `chaos run`.',
      )
    const file = pathBelow(root, args.path)
    const reports = args.report === undefined ? undefined : pathBelow(root, args.report)
    const process = await connections.choose(args.process)
    session.arming.assertOpen(process, 0)
    const { loadExperiment, prepareReports, prometheusAlerts, writeReports } = await import('@chaos/experiment')
    const variables = Object.fromEntries(
      Object.entries(args.variables ?? {}).map(([name, value]) => [name, String(value)]),
    )
    const experiment = await loadExperiment(file, {
      variables: { ...(args.alertsUrl === undefined ? {} : { ALERTS_URL: args.alertsUrl }), ...variables },
    })
    session.arming.assertOpen(process, longestOf(experiment))
    if (reports !== undefined) await prepareReports({ directory: reports })
    const connection = await connections.to(process)
    const run = runs.start({
      experiment,
      pid: process.pid,
      controller: permitted(connection, process, session, call),
      options: args.alertsUrl === undefined ? {} : { alerts: prometheusAlerts({ url: args.alertsUrl }) },
      ...(reports === undefined
        ? {}
        : {
            report: async (result) => {
              const { journal } = await writeReports([result], { directory: reports })
              return plain(relative(root, journal), 1_000)
            },
          }),
    })
    await waitFor(run, args.waitMs, session, call)
    if (call.signal.aborted) await runs.stop(run.id, 'the call was cancelled')
    return { summary: runLine(run), data: runView(run), detail: { run: run.id, ...outcomeOf(run) } }
  },
})

export const experimentStatus = defineTool({
  name: 'experiment_status',
  title: 'Read the state or verdict of a run',
  description: 'Waits for a run of run_experiment, and returns its progress or its verdict.',
  effect: 'read',
  input: { run: option.text('The id of the run.', 100), waitMs: waitOption },
  output: runSchema,
  async run({ run: id, waitMs }, session, call) {
    const run = session.runs.get(id)
    await waitFor(run, waitMs, session, call)
    return { summary: runLine(run), data: runView(run), detail: { run: run.id, ...outcomeOf(run) } }
  },
})

export const stopExperiment = defineTool({
  name: 'stop_experiment',
  title: 'Stop an experiment',
  description:
    'Aborts a run of run_experiment and rolls its faults back. Its verdict is then inconclusive. Always allowed.',
  effect: 'stop',
  input: { run: option.text('The id of the run.', 100) },
  output: runSchema,
  async run({ run: id }, { runs }) {
    const run = await runs.stop(id, 'stop_experiment was called')
    return { summary: runLine(run), data: runView(run), detail: { run: run.id, ...outcomeOf(run) } }
  },
})

export const readReportTool = defineTool({
  name: 'read_report',
  title: 'Read the report of an earlier run',
  description:
    'Reads a journal.json that an earlier run wrote (below the folder of this server), judges its evidence again, and returns the verdicts.',
  effect: 'read',
  input: {
    path: option.text('The journal.json, or the folder that it is in, relative to the folder of this server.', 1_000),
  },
  output: objectOf({ experiments: listOf(verdictSchema, 'The verdict of each experiment, at most 50.') }),
  async run({ path }, { root }) {
    const experiments = await readReport(root, path)
    return {
      summary: experiments.map(({ title, verdict, cause }) => `${title}: ${verdict}. ${cause}`).join('\n'),
      data: { experiments },
    }
  },
})

const outcomeOf = ({ status, verdict }: Run) => ({
  status,
  ...(verdict === undefined ? {} : { verdict: verdict.verdict }),
})

/** The longest time from the start of a run to the end of a lease, in ms, if nothing is late. */
function longestOf({ method, steadyState }: Experiment): number {
  const leases = method.flatMap((step) => ('inject' in step ? [step.inject.leaseMs ?? DEFAULT_LEASE_MS] : []))
  return steadyState.holdForMs + Math.max(0, ...leases)
}

/** A controller that reads the permit before each fault, and whose faults end with this server. */
function permitted(
  { client, armed }: Connection,
  process: LocalProcess,
  { arming }: Session,
  call: Call,
): ChaosController {
  return {
    ...client,
    async inject(target, fault, options, how: PortableInjectOptions = {}) {
      call.begin({ process: processView(process), target, fault })
      arming.assertOpen(process, how.leaseMs ?? DEFAULT_LEASE_MS)
      const state = await client.inject(target, fault, options, { ...how, hold: 'connection' })
      if (state.status !== 'ended') armed.add(state.id)
      return state
    },
  }
}

/** Waits until a run is over, for a time, or until the client cancels the call. */
function waitFor(run: Run, ms: number, { clock }: Session, { signal }: Call): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    void run.over.then(() => {
      cancel()
      resolve()
    })
  })
}
