import { ChaosError } from '@chaos/core'
import { lstatSync, mkdirSync } from 'node:fs'

/**
 * Makes a directory that only its owner can enter, or checks one that is there.
 *
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` if it cannot be made, or if others can enter it.
 */
export function preparePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw unusable(path, `it could not be made (${(error as Error).message})`, error)
  }
  const stats = lstatSync(path)
  if (!stats.isDirectory()) throw unusable(path, 'it is not a directory')
  const uid = process.getuid?.()
  // Windows has no such owners and modes.
  if (uid === undefined) return
  if (stats.uid !== uid) throw unusable(path, `it belongs to user ${stats.uid}, not to ${uid}`)
  const mode = stats.mode & 0o777
  if (mode !== 0o700) throw unusable(path, `its mode is ${mode.toString(8)} instead of 700`)
}

export function unusable(path: string, why: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_SOCKET_DIRECTORY',
    `The relay cannot use ${path}: ${why}. Use a path in a directory that only this user can enter (mode 700).`,
    { cause },
  )
}
