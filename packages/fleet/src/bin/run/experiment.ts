import { messageOf, systemClock } from '@chaos/core/authoring'
import type { FleetController } from '../../controller/fleet-controller.js'
import { usage, type Arguments } from '../arguments/arguments.js'
import { alertsIn, experimentIn, experimentPackage } from '../arguments/experiment.js'
import { EXIT } from '../process/exit-codes.js'
import type { Terminal } from '../process/terminal.js'
import { experimentProgress, runProgress } from '../views/progress.js'
import { runJson, runLines } from '../views/run-table.js'

/**
 * Runs the experiment of a file.
 *
 * @param withController Connects when the file has been read: a mistake in it needs no fleet.
 * @returns The exit code of the verdict.
 */
export async function runExperimentFile(
  path: string,
  args: Arguments,
  io: Terminal,
  withController: (work: (controller: FleetController) => Promise<number>) => Promise<number>,
): Promise<number> {
  const { exitCodeOf, prepareReports, runExperiment, toText, writeReports, JOURNAL_VERSION } = await experimentPackage()
  const isJson = args.isOn('json')
  const say = isJson ? () => undefined : io.out
  const directory = args.text('report')
  if (directory === '') throw usage('`--report` needs a folder.')
  const [experiment, alerts] = [await experimentIn(path, args), await alertsIn(args)]
  if (directory !== undefined) await prepareReports({ directory })

  return withController(async (controller) => {
    const startedAt = systemClock.now()
    say(experiment.title)
    const unfollow = controller.follow(runProgress(startedAt, say))
    const result = await runExperiment(experiment, {
      controller,
      alerts,
      signal: io.signal,
      onEvent: experimentProgress(startedAt, say),
    }).finally(unfollow)
    // Every instance is whole before anybody reads the table.
    await controller.close()
    const runs = controller.runs()
    for (const run of runs) for (const line of ['', ...runLines(run)]) say(line)
    say('')
    for (const line of toText(result).split('\n')) say(line)
    if (isJson) io.json({ version: JOURNAL_VERSION, experiments: [result], runs: runs.map(runJson) })

    let isReported = true
    if (directory !== undefined)
      try {
        say(`report: ${(await writeReports([result], { directory })).html}`)
      } catch (error) {
        // A full disk must not hide a verdict.
        io.err(`error: ${messageOf(error)}`)
        isReported = false
      }
    const { verdict } = result
    if (io.signal.aborted && verdict.name !== 'rollback-failed') return EXIT.interrupted
    const code = exitCodeOf(verdict)
    return code === EXIT.ok && !isReported ? EXIT.reportNotWritten : code
  })
}
