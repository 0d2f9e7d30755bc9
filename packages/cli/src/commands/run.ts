import { ChaosError, isChaosError, type ChaosController } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { AlertReader, Experiment, ExperimentResult, RunOptions, WebhookSink } from '@chaos/experiment'
import type { CommonFlags } from '../arguments/command-options.js'
import { experimentFiles } from '../arguments/experiment-files.js'
import { EXIT } from '../process/exit-codes.js'
import { summaryLines } from '../view/lines.js'
import { progress } from '../view/progress.js'
import { bold, red, type Terminal } from '../view/terminal.js'
import { announceInterruption, connectionGone, orInterrupted, withController } from './command.js'

/** The options of `chaos run`. */
export interface RunFlags extends CommonFlags {
  readonly alertsUrl?: string
  readonly alertmanagerUrl?: string
  readonly watchdog?: string
  readonly webhook?: boolean
  readonly webhookPort?: string
  readonly var?: readonly string[]
  readonly report?: string
}

/** Runs experiment files and the files of folders, one after another. @returns The exit code of the worst verdict. */
export async function run(paths: readonly string[], flags: RunFlags, io: Terminal): Promise<number> {
  const experiment = await import('@chaos/experiment')
  const alertsUrl = flags.alertsUrl === undefined ? undefined : addressOf('--alerts-url', flags.alertsUrl)
  const variables = {
    ...(alertsUrl === undefined ? {} : { ALERTS_URL: alertsUrl }),
    ...variablesOf(flags.var ?? []),
  }
  // Every file is checked before anything is broken.
  const files = await experimentFiles(paths)
  const experiments = await Promise.all(files.map((file) => experiment.loadExperiment(file, { variables })))
  if (flags.report === '') throw new ChaosError('CHAOS_INVALID_OPTION', '`--report` needs a directory.')
  if (flags.report !== undefined) await experiment.prepareReports({ directory: flags.report })
  const readers: AlertReader[] = []
  const watchdog = watchdogOf(flags, experiments)
  if (alertsUrl !== undefined) readers.push(experiment.prometheusAlerts({ url: alertsUrl, ...watchdog }))
  if (flags.alertmanagerUrl !== undefined)
    readers.push(
      experiment.alertmanagerAlerts({ url: addressOf('--alertmanager-url', flags.alertmanagerUrl), ...watchdog }),
    )
  const port = portOf(flags.webhookPort)
  const isJson = flags.json === true

  return withController(flags, io, async (connection) => {
    const results: ExperimentResult[] = []
    let isOver = false
    let sink: WebhookSink | undefined
    /**
     * Writes the reports. Never throws, because a full disk must not hide a verdict.
     *
     * @returns Whether all were written.
     */
    const report = async (): Promise<boolean> => {
      if (isJson) io.json({ version: experiment.JOURNAL_VERSION, experiments: results })
      if (flags.report === undefined) return true
      try {
        const { html } = await experiment.writeReports(results, { directory: flags.report })
        if (!isJson) io.out(`report: ${html}`)
        return true
      } catch (error) {
        io.err(red('error'), `: ${messageOf(error)}`)
        return false
      }
    }
    const silence = announceInterruption(io)
    // With `hold: 'connection'`, faults end with the command for any reason.
    const controller: ChaosController = {
      ...connection,
      inject: (target, fault, options, how) =>
        connection.inject(target, fault, options, { ...how, hold: 'connection' }),
    }
    // A process may end by the fault itself. Nobody expects that of a connection by a package.
    if (flags.on !== undefined)
      void connection.closed.then(() => {
        if (!isOver) io.err(red('error'), `: ${connectionGone().message}`)
      })
    try {
      if (flags.webhook === true || port !== undefined) {
        sink = await experiment.webhookSink({ port: port ?? 0 }).catch((error: unknown) => {
          throw new ChaosError(
            'CHAOS_INVALID_OPTION',
            `Notifications cannot be received on port ${port ?? 0} of 127.0.0.1: ${messageOf(error)}. Choose another \`--webhook-port\`.`,
            { cause: error },
          )
        })
        if (!isJson) io.out(`send notifications to ${sink.url}`)
      }
      const options: RunOptions = {
        controller,
        alerts: readers,
        signal: io.signal,
        ...(sink === undefined ? {} : { sink }),
      }
      // All experiments are checked before the first breaks anything.
      if (experiments.length > 1)
        for (const one of experiments)
          await orInterrupted(io.signal, experiment.checkExperiment(one, options)).catch((error: unknown) =>
            failed(one, error),
          )
      for (const one of experiments) {
        if (io.signal.aborted) break
        const say = isJson ? () => undefined : io.out
        say('')
        say(bold(one.title))
        const onEvent = progress(Date.now(), say)
        const result = await experiment.runExperiment(one, { ...options, onEvent })
        results.push(result)
        say('')
        for (const line of experiment.toText(result).split('\n')) say(line)
      }
    } catch (error) {
      // Completed experiments are reported even if a later one failed.
      if (results.length > 0) await report()
      throw error
    } finally {
      isOver = true
      silence()
      await sink?.close()
    }
    const worst = experiment.VERDICTS_WORST_FIRST.find((name) => results.some(({ verdict }) => verdict.name === name))
    if (!isJson && experiments.length > 1)
      for (const line of summaryLines(results, experiments.length, worst)) io.out(line)
    const isReported = await report()
    if (io.signal.aborted && worst !== 'rollback-failed') return EXIT.interrupted
    const code = worst === undefined ? EXIT.internal : experiment.exitCodeOf({ name: worst })
    return code === EXIT.ok && !isReported ? EXIT.reportNotWritten : code
  })
}

/** Adds the title of the experiment to an error. @throws The error with the title */
function failed({ title }: Experiment, error: unknown): never {
  throw isChaosError(error) ? new ChaosError(error.code, `${title}: ${error.message}`, { cause: error }) : error
}

/**
 * Checks the watchdog option.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when the watchdog is missing, no reader reads it, or an experiment expects
 *   it to fire
 */
function watchdogOf(
  { watchdog, alertsUrl, alertmanagerUrl }: RunFlags,
  experiments: readonly Experiment[],
): { readonly watchdog?: string } {
  if (watchdog === undefined && alertmanagerUrl !== undefined && alertsUrl === undefined) {
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      '`--alertmanager-url` needs `--watchdog` or `--alerts-url`. An Alertmanager alone does not prove that rules are evaluated, so no run could pass.',
    )
  }
  if (watchdog === undefined) return {}
  if (alertsUrl === undefined && alertmanagerUrl === undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      '`--watchdog` needs `--alerts-url` or `--alertmanager-url`, which the alert is read from.',
    )
  const waiting = experiments.find(({ alerts }) => alerts?.mustFire.some(({ name }) => name === watchdog))
  if (waiting !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The \`--watchdog\` alert "${watchdog}" must fire because of a fault in "${waiting.title}". Name an alert that always fires.`,
    )
  return { watchdog }
}

function addressOf(flag: string, text: string): string {
  try {
    const { protocol, search, hash, username } = new URL(text)
    if ((protocol === 'http:' || protocol === 'https:') && search === '' && hash === '' && username === '') return text
  } catch {
    // Reported below.
  }
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`${flag}\` to be an address such as http://127.0.0.1:9090, got \`${text}\`.`,
  )
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 1 && port <= 65_535) return port
  throw new ChaosError(
    'CHAOS_INVALID_OPTION',
    `Expected \`--webhook-port\` to be a number from 1 to 65535, got \`${text}\`.`,
  )
}

function variablesOf(given: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const text of given) {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`--var\` to be NAME=value, with a name of letters, digits and underscores, got \`${text}\`.`,
      )
    if (Object.hasOwn(variables, name))
      throw new ChaosError('CHAOS_INVALID_OPTION', `The variable "${name}" is set twice. Pass one \`--var\` for it.`)
    variables[name] = value
  }
  return variables
}
