import { lstatSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ChaosError } from '@chaos/core'

/** Where a directory of sockets was asked for, or where they are by default. */
export interface SocketDirectories {
  /** Where a process puts its socket. */
  readonly own: string
  /** Where others may have put theirs: a process and its user's shell do not always share `XDG_RUNTIME_DIR`. */
  readonly all: readonly string[]
  readonly isDefault: boolean
}

/**
 * Where sockets are: as asked for, else `CHAOS_SOCKET_DIR`, else below `XDG_RUNTIME_DIR` when that is the user's own, else below
 * the folder for temporary files, in the user's name.
 */
export function socketDirectories(asked: string | undefined, env: NodeJS.ProcessEnv = process.env): SocketDirectories {
  const named = asked ?? (env['CHAOS_SOCKET_DIR'] === '' ? undefined : env['CHAOS_SOCKET_DIR'])
  if (named !== undefined) return { own: resolve(named), all: [resolve(named)], isDefault: false }
  const { uid, username } = userInfo()
  const temporary = join(tmpdir(), `chaos-harness-${uid === -1 ? username.replace(/[^\w.-]/g, '_') : uid}`)
  const runtime = env['XDG_RUNTIME_DIR']
  // `su` and `sudo` may leave someone else's there.
  if (runtime === undefined || !isOwnDirectory(runtime)) return { own: temporary, all: [temporary], isDefault: true }
  const own = join(runtime, 'chaos-harness')
  return { own, all: [own, temporary], isDefault: true }
}

/**
 * Makes the directory if needed, and makes sure that no other user can access it.
 *
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY`
 */
export function preparePrivateDirectory(path: string): void {
  try {
    makePath(path)
  } catch (error) {
    throw unusable(path, `it could not be made (${(error as Error).message})`, error)
  }
  checkPrivateDirectory(path)
}

/** One level after another: `recursive` never comes back from a place such as `/proc`, where a directory is there and takes none. */
function makePath(path: string): void {
  const made = (): NodeJS.ErrnoException | undefined => {
    try {
      mkdirSync(path, { mode: 0o700 })
      return undefined
    } catch (error) {
      return error as NodeJS.ErrnoException
    }
  }
  let error = made()
  const above = dirname(path)
  if (error?.code === 'ENOENT' && above !== path) {
    makePath(above)
    error = made()
  }
  if (error !== undefined && error.code !== 'EEXIST') throw error
}

/** @throws ChaosError `CHAOS_SOCKET_DIRECTORY`, also when the directory is not there. */
export function checkPrivateDirectory(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw unusable(path, 'it is not there')
  if (stats.isSymbolicLink()) throw unusable(path, 'it is a symbolic link')
  if (!stats.isDirectory()) throw unusable(path, 'it is not a directory')
  const uid = process.getuid?.()
  // Windows has neither owners nor modes of this kind; the folder for temporary files is the user's own there.
  if (uid === undefined) return
  if (stats.uid !== uid) throw unusable(path, `it belongs to user ${stats.uid}, not to ${uid}`)
  if ((stats.mode & 0o077) !== 0)
    throw unusable(
      path,
      `its mode is ${(stats.mode & 0o777).toString(8)}; \`chmod 700\` it once you have looked at what is in it`,
    )
}

export function unusable(path: string, reason: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_SOCKET_DIRECTORY',
    `The directory for control sockets at ${path} cannot be used: ${reason}. CHAOS_SOCKET_DIR names another one.`,
    { cause },
  )
}

function isOwnDirectory(path: string): boolean {
  try {
    const stats = statSync(path)
    return stats.isDirectory() && stats.uid === process.getuid?.()
  } catch {
    return false
  }
}
