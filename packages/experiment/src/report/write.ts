import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExperimentResult } from '../run/run-experiment.js'
import { toHtml } from './html.js'
import { toJournal } from './journal.js'
import { toJUnit } from './junit.js'

/** Where reports were written. */
export interface ReportPaths {
  readonly journal: string
  readonly junit: string
  readonly html: string
}

/** Writes `journal.json`, `junit.xml` and `report.html` into a directory, which is made if need be. */
export async function writeReports(results: readonly ExperimentResult[], { directory }: { readonly directory: string }): Promise<ReportPaths> {
  const paths = { journal: join(directory, 'journal.json'), junit: join(directory, 'junit.xml'), html: join(directory, 'report.html') }
  await mkdir(directory, { recursive: true })
  await Promise.all([writeFile(paths.journal, toJournal(results)), writeFile(paths.junit, toJUnit(results)), writeFile(paths.html, toHtml(results))])
  return paths
}
