import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { ChaosError } from '@chaos/core'

/** Experiments of a folder at most. */
const MAX_FILES = 1_000

/**
 * The files that are meant: a folder stands for its YAML and JSON files, by name. Modules are named one by one, since a folder may hold helpers of
 * theirs, and folders within it are not searched.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` for a folder without experiments, or with more than 1,000
 */
export async function experimentFiles(paths: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(paths.map(filesAt))).flat()
}

async function filesAt(path: string): Promise<readonly string[]> {
  // What cannot be looked at is reported when it is loaded.
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
      `The folder ${path} has ${names.length} experiments, more than ${MAX_FILES}. Name the files.`,
    )
  return names.map((name) => join(path, name))
}
