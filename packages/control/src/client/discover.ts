import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { isChaosError, type Clock, type TargetInfo } from '@chaos/core'
import { checkOptions, option, optionsSchema, systemClock } from '@chaos/core/authoring'
import { targetInfoSchema } from '../api/schemas.js'
import { socketRecordPath, isOwn, readSocketRecord, SOCKET_NAME } from '../endpoints/socket-record.js'
import { checkPrivateDirectory, socketDirectories } from '../endpoints/socket-directory.js'
import { lookAt, removeFile } from '../endpoints/socket-file.js'
import { reach } from './address.js'
import { call } from './request.js'

/** Options of {@link discover}. */
export interface DiscoverOptions {
  /** The directory to search. Default: every directory where {@link openSocket} may have created its socket. */
  readonly directory?: string
  /** The longest wait for the answer of each process, in ms. Default 1,000. */
  readonly timeoutMs?: number
  /** The clock for timeouts. Default: the system clock. */
  readonly clock?: Clock
}

/** A local process of this user with an open control socket. */
export interface LocalProcess {
  readonly pid: number
  readonly name: string
  readonly socketPath: string
  /** When the process started, in ms since the epoch. */
  readonly startedAt: number
  readonly targets: readonly TargetInfo[]
}

const discoverSchema = optionsSchema({
  directory: option.optional(option.text('The directory to search.')),
  timeoutMs: option.optional(option.durationMs('The longest wait for the answer of each process, in ms.'), 1_000),
})

/** The age below which a silent socket may still be about to listen, in ms. */
const YOUNG_MS = 10_000

/**
 * Finds the local processes with an open control socket, oldest first. Removes the files of dead processes, skips
 * processes that do not answer in time, and ignores files of other users.
 *
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when the given directory is not private, `CHAOS_INVALID_OPTION` when an
 *   option is invalid
 */
export async function discover({ clock = systemClock, ...given }: DiscoverOptions = {}): Promise<
  readonly LocalProcess[]
> {
  const { directory, timeoutMs } = checkOptions(discoverSchema, given, 'discover')
  const { all, isDefault } = socketDirectories(directory)
  const usable = all.filter((path) => isUsable(path, isDefault))
  const found = await Promise.all(
    usable.flatMap((path) => basesIn(path).map((base) => look(path, base, timeoutMs, clock))),
  )
  return found
    .filter((one) => one !== undefined)
    .sort((a, b) => a.startedAt - b.startedAt || a.socketPath.localeCompare(b.socketPath, 'en', { numeric: true }))
}

/**
 * Whether a directory can be searched. A missing directory is skipped. A directory that is not private is not trusted.
 */
function isUsable(path: string, isDefault: boolean): boolean {
  if (lookAt(path) === undefined) return false
  try {
    checkPrivateDirectory(path)
    return true
  } catch (error) {
    if (isDefault) return false
    throw error
  }
}

function basesIn(directory: string): readonly string[] {
  const names = readdirSync(directory).filter((name) => SOCKET_NAME.test(name))
  return [...new Set(names.map((name) => name.replace(/\.\w+$/, '')))]
}

async function look(
  directory: string,
  base: string,
  timeoutMs: number,
  clock: Clock,
): Promise<LocalProcess | undefined> {
  const record = readSocketRecord(socketRecordPath(directory, base))
  const isPipe = process.platform === 'win32'
  const socketPath = isPipe ? record?.socketPath : join(directory, `${base}.sock`)
  if (socketPath === undefined || (!isPipe && lookAt(socketPath) !== undefined && !isOwn(socketPath, 'socket')))
    return undefined
  try {
    const targets = await call(reach({ socketPath }), {
      method: 'GET',
      path: '/targets',
      expects: v.array(targetInfoSchema),
      timeoutMs,
      clock,
    })
    return record === undefined
      ? undefined
      : { pid: record.pid, name: record.name, startedAt: record.startedAt, socketPath, targets }
  } catch (error) {
    if (isStale(error, directory, base))
      for (const file of [socketRecordPath(directory, base), ...(isPipe ? [] : [socketPath])]) removeFile(file)
    return undefined
  }
}

/**
 * Whether no process listens on a socket any more. A socket that answers is never stale, even if its pid looks dead,
 * because containers may share the directory. A socket that refuses is stale, unless its process is alive and the
 * socket is young enough to be about to listen.
 */
function isStale(error: unknown, directory: string, base: string): boolean {
  const { cause } = isChaosError(error) ? error : { cause: undefined }
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  if (code !== 'ECONNREFUSED' && code !== 'ENOENT') return false
  if (!isAlive(Number(base.split('-')[0]))) return true
  const ages = ['sock', 'json'].flatMap((end) => lookAt(join(directory, `${base}.${end}`))?.mtimeMs ?? [])
  return ages.every((modifiedAt) => Date.now() - Number(modifiedAt) > YOUNG_MS)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
