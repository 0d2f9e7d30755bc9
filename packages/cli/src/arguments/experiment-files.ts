import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { ChaosError } from '@chaos/core'

/** The most experiments in a folder. */
const MAX_FILES = 1_000

/**
 * Expands folders to their YAML and JSON files, sorted by name. Modules in a folder are skipped, because some may be
 * helpers, and subfolders are not searched.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when a folder has no experiments or more than 1,000
 */
export async function experimentFiles(paths: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(paths.map(filesAt))).flat()
}

async function filesAt(path: string): Promise<readonly string[]> {
  // A path that cannot be read is reported when it is loaded.
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  if (!isFolder) return [path]
  const names = (await readdir(path)).filter((name) => ['.yaml', '.yml', '.json'].includes(extname(name))).sort()
  if (names.length === 0)
    throw new ChaosError('CHAOS_INVALID_EXPERIMENT', `The folder ${path} has no experiment (.yaml, .yml or .json).`)
  if (names.length > MAX_FILES)
    throw new ChaosError(
      'CHAOS_INVALID_EXPERIMENT',
      `The folder ${path} has ${names.length} experiments, more than ${MAX_FILES}. Pass the files instead.`,
    )
  return names.map((name) => join(path, name))
}
