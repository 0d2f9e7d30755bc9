import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path'
import { ChaosError } from '@chaos/core'
import { plain } from '../shared/bounded.js'

/**
 * The folder below which the server reads experiments and reports, as it is on disk.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when it does not exist
 */
export function rootFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    throw new ChaosError('CHAOS_INVALID_OPTION', `The folder ${plain(path)} cannot be used. Pass one that exists.`, {
      cause: error,
    })
  }
}

/**
 * Resolves a path of a tool below the folder of the server. What does not exist yet is resolved from the part that does.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when it leads outside, by `..`, as an absolute path, or by a symbolic link
 */
export function pathBelow(root: string, asked: string): string {
  if (root === parse(root).root)
    throw outside(asked, 'the server was started in the root folder. Start it with `--folder` and a project folder')
  if (isAbsolute(asked) || asked.includes('\0')) throw outside(asked, `it must be relative to ${root}`)
  const path = resolve(root, asked)
  if (!isBelow(root, path) || !isBelow(root, realPathOf(path))) throw outside(asked, `it must stay below ${root}`)
  return path
}

/** The path with its symbolic links resolved, as far as it exists. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) return parse(path).root
    return join(realPathOf(above), relative(above, path))
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

const outside = (asked: string, why: string): ChaosError =>
  new ChaosError('CHAOS_INVALID_OPTION', `The path ${plain(asked)} cannot be used: ${why}.`)
