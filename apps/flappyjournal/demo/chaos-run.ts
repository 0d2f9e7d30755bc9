import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ExperimentResult, ResultJournal } from '@chaos/experiment'

/** A run of an experiment on a dev server. */
export interface ChaosRun {
  /** The experiment file. */
  readonly file: string
  /** Where the dev server opens its socket (`CHAOS_SOCKET_DIR`). */
  readonly sockets: string
  readonly url: string
  readonly alertsUrl: string
  /** Where the load serves its report. */
  readonly loadUrl: string
  /** Where the reports go. */
  readonly directory: string
}

/**
 * Runs `chaos run`, with its progress on our terminal, and reads its journal.
 *
 * @throws Error if the command wrote no journal
 */
export async function chaosRun({
  file,
  sockets,
  url,
  alertsUrl,
  loadUrl,
  directory,
}: ChaosRun): Promise<ExperimentResult> {
  const bin = join(createRequire(import.meta.url).resolve('@chaos/cli/package.json'), '..', 'dist', 'bin.js')
  const journal = join(directory, 'journal.json')
  // An earlier run's must not be taken for this one's. Nothing else is removed: the directory may be anybody's.
  await rm(journal, { force: true })
  const variables = [`APP_URL=${url}`, `ALERTS_URL=${alertsUrl}`, `LOAD_URL=${loadUrl}`].flatMap((one) => [
    '--var',
    one,
  ])
  const args = ['run', file, '--name', 'flappyjournal', '--alerts-url', alertsUrl, '--report', directory, ...variables]
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CHAOS_SOCKET_DIR: sockets },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  const text = await readFile(journal, 'utf8').catch(() => {
    throw new Error(`Expected \`chaos run ${file}\` to write its journal, it exited with ${code ?? 'a signal'}.`)
  })
  const [result] = (JSON.parse(text) as ResultJournal).experiments
  if (result === undefined) throw new Error(`Expected the journal of ${file} to hold a result.`)
  return result
}
