import { ChaosError, messageOf } from '@chaos/core'
import type { AlertReader, ExperimentResult, WebhookSink } from '@chaos/experiment'
import { EXIT } from '../exit-codes.js'
import { progress } from '../view/progress.js'
import { bold, red, type Terminal } from '../view/terminal.js'
import { announceBreakOff, withClient, type CommonFlags } from './command.js'

/** Flags of `chaos run`. */
export interface RunFlags extends CommonFlags {
  readonly alertsUrl?: string
  readonly alertmanagerUrl?: string
  readonly watchdog?: string
  readonly webhook?: boolean
  readonly webhookPort?: string
  readonly var?: readonly string[]
  readonly report?: string
}

/** Runs experiment files one after another. @returns The exit code of the worst verdict. */
export async function run(files: readonly string[], flags: RunFlags, io: Terminal): Promise<number> {
  const experiment = await import('@chaos/experiment')
  const variables = variablesOf(flags.var ?? [])
  // Every file is checked before anything is broken.
  const experiments = await Promise.all(files.map((file) => experiment.loadExperiment(file, { variables })))
  if (flags.report !== undefined) await experiment.prepareReports({ directory: flags.report })
  const readers: AlertReader[] = []
  const watchdog = flags.watchdog === undefined ? {} : { watchdog: flags.watchdog }
  if (flags.alertsUrl !== undefined) readers.push(experiment.prometheusAlerts({ url: flags.alertsUrl, ...watchdog }))
  if (flags.alertmanagerUrl !== undefined) readers.push(experiment.alertmanagerAlerts({ url: flags.alertmanagerUrl, ...watchdog }))
  const port = portOf(flags.webhookPort)
  const isJson = flags.json === true

  return withClient(flags, io, async (client) => {
    const results: ExperimentResult[] = []
    let sink: WebhookSink | undefined
    /** @returns Whether everything that was asked for is written. It never throws: a full disk must not hide what a run came to. */
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
    const silence = announceBreakOff(io)
    if (flags.webhook === true || port !== undefined) {
      sink = await experiment.webhookSink({ port: port ?? 0 })
      if (!isJson) io.out(`notifications are expected at ${sink.url}`)
    }
    try {
      for (const one of experiments) {
        if (io.signal.aborted) break
        const say = isJson ? () => undefined : io.out
        say('')
        say(bold(one.title))
        const onEvent = progress(Date.now(), say)
        const result = await experiment.runExperiment(one, { controller: client, alerts: readers, signal: io.signal, onEvent, ...(sink === undefined ? {} : { sink }) })
        results.push(result)
        say('')
        for (const line of experiment.toText(result).split('\n')) say(line)
      }
    } catch (error) {
      // What has run has broken something: it is reported, whatever became of the one after it.
      if (results.length > 0) await report()
      throw error
    } finally {
      silence()
      await sink?.close()
    }
    const isReported = await report()
    if (io.signal.aborted) return EXIT.interrupted
    const worst = experiment.VERDICTS_WORST_FIRST.find((name) => results.some(({ verdict }) => verdict.name === name))
    const code = worst === undefined ? EXIT.internal : experiment.exitCodeOf({ name: worst })
    return code === EXIT.ok && !isReported ? EXIT.reportNotWritten : code
  })
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 1 && port <= 65_535) return port
  throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`--webhook-port\` to be a number from 1 to 65535, got \`${text}\`.`)
}

function variablesOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new ChaosError('CHAOS_INVALID_OPTION', `Expected a variable as NAME=VALUE, got \`${text}\`.`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
