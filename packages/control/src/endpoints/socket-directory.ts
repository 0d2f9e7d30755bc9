import { mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ChaosError } from '@chaos/core'
import { lookAt } from './socket-file.js'

/** The directories of control sockets. */
export interface SocketDirectories {
  /** The directory in which this process creates its socket. */
  readonly own: string
  /** The directories in which others may have created theirs. A process and a shell may differ in `XDG_RUNTIME_DIR`. */
  readonly all: readonly string[]
  readonly isDefault: boolean
}

/**
 * Returns the socket directories: the given one, else `CHAOS_SOCKET_DIR`, else one in `XDG_RUNTIME_DIR` if the user
 * owns that, else one per user in the folder for temporary files.
 */
export function socketDirectories(
  asked: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  runtimeDirectories = '/run/user',
): SocketDirectories {
  const named = asked ?? (env['CHAOS_SOCKET_DIR'] === '' ? undefined : env['CHAOS_SOCKET_DIR'])
  if (named !== undefined) return { own: resolve(named), all: [resolve(named)], isDefault: false }
  const { uid, username } = userInfo()
  const temporary = join(tmpdir(), `chaos-harness-${uid === -1 ? username.replace(/[^\w.-]/g, '_') : uid}`)
  const runtime = env['XDG_RUNTIME_DIR']
  // Programs that editors and desktop apps start often lack the variable that shells have. systemd names the directory so.
  const usual = join(runtimeDirectories, String(uid))
  const others = uid !== -1 && isOwnDirectory(usual) ? [join(usual, 'chaos-harness')] : []
  // After `su` or `sudo`, the variable may name another user's directory.
  const own = runtime === undefined || !isOwnDirectory(runtime) ? temporary : join(runtime, 'chaos-harness')
  return { own, all: [...new Set([own, temporary, ...others])], isDefault: true }
}

/**
 * The private directories of this user's control sockets, for tools that keep small files of their own beside the
 * sockets. Names that begin with a digit are taken by sockets.
 *
 * @param directory Asked for. Default: as in {@link openSocket}.
 * @returns `own`, which is created if it is missing, and `all`: every directory that {@link discover} searches, without
 *   those that are missing or not private.
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when `own` cannot be created or is not private
 */
export function privateDirectories(directory?: string): { readonly own: string; readonly all: readonly string[] } {
  const { own, all } = socketDirectories(directory)
  preparePrivateDirectory(own)
  return { own, all: all.filter((path) => path === own || isPrivateDirectory(path)) }
}

function isPrivateDirectory(path: string): boolean {
  try {
    checkPrivateDirectory(path)
    return true
  } catch {
    return false
  }
}

/**
 * Creates the directory if it is missing and checks that no other user can access it.
 *
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when the directory cannot be created or is not private
 */
export function preparePrivateDirectory(path: string): void {
  try {
    makePath(path)
  } catch (error) {
    throw unusable(path, `it could not be created (${(error as Error).message})`, error)
  }
  checkPrivateDirectory(path)
}

/**
 * Creates directories level by level. `recursive: true` never returns in places such as `/proc`, which reject new
 * entries.
 */
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

/** Checks that a directory is private. @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when it is missing or not private */
export function checkPrivateDirectory(path: string): void {
  const stats = lookAt(path)
  if (stats === undefined) throw unusable(path, 'it does not exist')
  if (stats.isSymbolicLink()) throw unusable(path, 'it is a symbolic link')
  if (!stats.isDirectory()) throw unusable(path, 'it is not a directory')
  const uid = process.getuid?.()
  // Windows has no such owners and modes. There, the folder for temporary files belongs to the user.
  if (uid === undefined) return
  if (stats.uid !== BigInt(uid)) throw unusable(path, `it belongs to user ${stats.uid}, not to ${uid}`)
  if ((stats.mode & 0o077n) !== 0n)
    throw unusable(
      path,
      `its mode is ${(stats.mode & 0o777n).toString(8)} instead of 700; check its contents, then run \`chmod 700\` on it`,
    )
}

export function unusable(path: string, reason: string, cause?: unknown): ChaosError {
  return new ChaosError(
    'CHAOS_SOCKET_DIRECTORY',
    `The directory for control sockets at ${path} cannot be used: ${reason}. Set CHAOS_SOCKET_DIR to use another one.`,
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
