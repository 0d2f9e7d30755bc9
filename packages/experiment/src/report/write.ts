import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ChaosError } from '@chaos/core'
import { reasonOf } from '../shared/answer.js'
import type { ExperimentResult } from '../verdict/result.js'
import { toHtml } from './html.js'
import { toJournal } from './journal.js'
import { toJUnit } from './junit.js'

/** The paths of the written reports. */
export interface ReportPaths {
  readonly journal: string
  readonly junit: string
  readonly html: string
}

/**
 * Creates the report directory if it is missing and checks that reports can be written to it. Call this before the run.
 *
 * @throws ChaosError `CHAOS_REPORT_NOT_WRITTEN` when the path is a symbolic link, is not a directory, or is not
 *   writable
 */
export async function prepareReports({ directory }: { readonly directory: string }): Promise<void> {
  const paths = pathsIn(directory)
  await orSay(directory, async () => {
    await makeDirectory(directory)
    for (const path of [paths.journal, paths.junit, paths.html]) {
      const stats = await lstat(path).catch(() => undefined)
      if (stats?.isDirectory() === true) throw new Error(`${path} is a directory`)
    }
    const tried = besideOf(paths.journal)
    await writeNew(tried, '').finally(() => rm(tried, { force: true }))
  })
}

/**
 * Writes `journal.json`, `junit.xml` and `report.html` to a directory, which is created if it is missing. All reports
 * are first written to temporary files beside their targets and then renamed, so a reader never sees a partial report.
 * Symbolic links are not followed.
 *
 * @throws ChaosError `CHAOS_REPORT_NOT_WRITTEN` when writing fails. The reports of an earlier run are then unchanged.
 */
export async function writeReports(
  results: readonly ExperimentResult[],
  { directory }: { readonly directory: string },
): Promise<ReportPaths> {
  const paths = pathsIn(directory)
  const files = [
    [paths.journal, toJournal(results)],
    [paths.junit, toJUnit(results)],
    [paths.html, toHtml(results)],
  ].map(([path = '', text = '']) => ({ path, text, beside: besideOf(path) }))
  await orSay(directory, async () => {
    await makeDirectory(directory)
    try {
      for (const { beside, text } of files) await writeNew(beside, text)
      for (const { beside, path } of files) await rename(beside, path)
    } finally {
      await Promise.all(files.map(({ beside }) => rm(beside, { force: true })))
    }
  })
  return paths
}

function pathsIn(directory: string): ReportPaths {
  return {
    journal: join(directory, 'journal.json'),
    junit: join(directory, 'junit.xml'),
    html: join(directory, 'report.html'),
  }
}

async function makeDirectory(directory: string): Promise<void> {
  // `resolve` removes a trailing slash, which would make `lstat` follow a symbolic link.
  const path = resolve(directory)
  await makePath(path)
  const stats = await lstat(path)
  if (stats.isSymbolicLink()) throw new Error('it is a symbolic link; name the directory itself')
  if (!stats.isDirectory()) throw new Error('it is not a directory')
}

/**
 * Creates directories level by level. `recursive: true` never returns in places such as `/proc`, which reject new
 * entries.
 */
async function makePath(path: string): Promise<void> {
  const made = (): Promise<string | undefined> =>
    mkdir(path).then(
      () => undefined,
      (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'EIO',
    )
  const above = dirname(path)
  let code = await made()
  if (code === 'ENOENT' && above !== path) {
    await makePath(above)
    code = await made()
  }
  // A dangling symbolic link also reports EEXIST.
  if (code !== undefined && code !== 'EEXIST') throw new Error(`${path} could not be created (${code})`)
}

const besideOf = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)

/** Writes a new file and flushes it to disk, so that a full disk fails here. */
async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function orSay(directory: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new ChaosError(
      'CHAOS_REPORT_NOT_WRITTEN',
      `Reports cannot be written to ${directory}: ${reasonOf(error)}. Choose another directory, or free some space.`,
      { cause: error },
    )
  }
}
