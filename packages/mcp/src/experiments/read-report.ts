import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ChaosError } from '@chaos/core'
import { messageOf } from '@chaos/core/authoring'
import type { Evidence, Experiment } from '@chaos/experiment'
import { plain } from '../shared/bounded.js'
import { pathBelow } from './paths.js'
import { verdictData, type VerdictData } from './verdict-data.js'

/** The largest report, in bytes, and the most experiments in one. */
const MAX_BYTES = 33_554_432
const MAX_EXPERIMENTS = 50

/**
 * Reads the `journal.json` of an earlier run and judges its evidence again. The verdict that is written in it is not used: whoever can
 * write the file could have changed it.
 *
 * @param root The folder of the server.
 * @param shown The journal, or the folder that it is in, relative to the folder of the server.
 * @throws ChaosError `CHAOS_INVALID_OPTION` when it leads outside, cannot be read or is no journal
 */
export async function readReport(root: string, shown: string): Promise<readonly VerdictData[]> {
  const { experiments, version } = (await journalAt(root, shown)) as { experiments?: unknown; version?: unknown }
  const { judge, JOURNAL_VERSION } = await import('@chaos/experiment')
  if (version !== JOURNAL_VERSION || !Array.isArray(experiments))
    throw unreadable(shown, 'it is no journal of experiments')
  return (experiments as readonly unknown[]).slice(0, MAX_EXPERIMENTS).map((one) => {
    try {
      const { title, experiment, evidence } = one as { title: string; experiment: Experiment; evidence: Evidence }
      return verdictData({ title, evidence, verdict: judge(experiment, evidence) })
    } catch (error) {
      throw unreadable(shown, `an experiment in it cannot be judged: ${messageOf(error)}`)
    }
  })
}

async function journalAt(root: string, shown: string): Promise<object> {
  const path = await journalPath(root, shown)
  try {
    // Without O_NONBLOCK, opening a pipe without a writer would hang.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw new Error('it is not a file')
      if (stats.size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
      return parsed(await file.readFile('utf8'))
    } finally {
      await file.close()
    }
  } catch (error) {
    throw unreadable(shown, messageOf(error))
  }
}

/** The journal that a path names. In a folder, the journal itself may be a link that leads outside. */
async function journalPath(root: string, shown: string): Promise<string> {
  const path = pathBelow(root, shown)
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  return isFolder ? pathBelow(root, join(shown, 'journal.json')) : path
}

function parsed(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The message of the parser would repeat the begin of whatever file this is.
    throw new Error('it is not JSON')
  }
  if (typeof value === 'object' && value !== null) return value
  throw new Error('it is no journal of experiments')
}

const unreadable = (shown: string, why: string): ChaosError =>
  new ChaosError('CHAOS_INVALID_OPTION', `The report ${plain(shown)} cannot be read: ${why}.`)
