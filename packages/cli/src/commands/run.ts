import { ChaosError } from '@chaos/core'
import type { AlertReader, ExperimentResult, WebhookSink } from '@chaos/experiment'
import { EXIT } from '../exit-codes.js'
import type { Io } from '../io.js'
import { colours } from '../view/colours.js'
import { progress } from '../view/progress.js'
import { json, withClient, type CommonFlags } from './command.js'

/** Flags of `chaos run`. */
export interface RunFlags extends CommonFlags {
  readonly alertsUrl?: string
  readonly alertmanagerUrl?: string
  readonly webhook?: boolean
  readonly var?: readonly string[]
  readonly report?: string
}

/** Runs experiment files one after another. @returns The exit code of the worst verdict. */
export async function run(files: readonly string[], flags: RunFlags, io: Io): Promise<number> {
  const experiment = await import('@chaos/experiment')
  const variables = variablesOf(flags.var ?? [])
  // Every file is checked before anything is broken.
  const experiments = await Promise.all(files.map((file) => experiment.loadExperiment(file, { variables })))
  const readers: AlertReader[] = []
  if (flags.alertsUrl !== undefined) readers.push(experiment.prometheusAlerts({ url: flags.alertsUrl }))
  if (flags.alertmanagerUrl !== undefined) readers.push(experiment.alertmanagerAlerts({ url: flags.alertmanagerUrl }))
  const colour = colours(io)
  const isJson = flags.json === true

  return withClient(flags, io, async (client) => {
    const results: ExperimentResult[] = []
    let sink: WebhookSink | undefined
    const report = async (): Promise<void> => {
      if (isJson) io.out(json({ version: experiment.JOURNAL_VERSION, experiments: results }))
      if (flags.report === undefined) return
      const { html } = await experiment.writeReports(results, { directory: flags.report })
      if (!isJson) io.out(`report: ${html}`)
    }
    if (flags.webhook === true) {
      sink = await experiment.webhookSink()
      if (!isJson) io.out(`notifications are expected at ${sink.url}`)
    }
    try {
      for (const one of experiments) {
        if (io.signal.aborted) break
        const say = isJson ? () => undefined : io.out
        say(`\n${colour.bold(one.title)}`)
        const onEvent = progress(Date.now(), colour, say)
        const result = await experiment.runExperiment(one, { controller: client, alerts: readers, signal: io.signal, onEvent, ...(sink === undefined ? {} : { sink }) })
        results.push(result)
        say(`\n${experiment.toText(result)}`)
      }
    } catch (error) {
      // What has run has broken something: it is reported, whatever became of the one after it.
      if (results.length > 0) await report()
      throw error
    } finally {
      await sink?.close()
    }
    await report()
    if (io.signal.aborted) return EXIT.interrupted
    const worst = experiment.VERDICTS_WORST_FIRST.find((name) => results.some(({ verdict }) => verdict.name === name))
    return worst === undefined ? EXIT.internal : experiment.exitCodeOf({ name: worst })
  })
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
