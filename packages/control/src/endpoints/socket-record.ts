import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { lookAt } from './socket-file.js'

/** The description of a process, stored in a file beside its socket. */
export interface SocketRecord {
  readonly pid: number
  readonly name: string
  /** When the process started, in ms since the epoch. */
  readonly startedAt: number
  readonly socketPath: string
}

const socketRecordSchema = v.looseObject({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  name: v.string(),
  startedAt: v.number(),
  socketPath: v.string(),
})

/** The largest record, in bytes. */
const MAX_BYTES = 8_192

/** Matches the file names of sockets and records: `<pid>-<n>.sock` and `<pid>-<n>.json`. */
export const SOCKET_NAME = /^(\d+)-\d+\.(?:sock|json)$/

export const socketRecordPath = (directory: string, base: string): string => join(directory, `${base}.json`)

/** Writes a record to a temporary file and renames it, so that no reader gets a partial record. */
export function writeSocketRecord(path: string, record: SocketRecord): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** Reads a record. @returns `undefined` if it is invalid or belongs to another user. */
export function readSocketRecord(path: string): SocketRecord | undefined {
  if (!isOwn(path, 'file')) return undefined
  try {
    const parsed = v.safeParse(socketRecordSchema, JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** Whether a path is a file or socket (not a link) that belongs to this user. */
export function isOwn(path: string, kind: 'file' | 'socket'): boolean {
  const stats = lookAt(path)
  if (stats === undefined) return false
  const uid = process.getuid?.()
  return (
    (kind === 'file' ? stats.isFile() && stats.size <= MAX_BYTES : stats.isSocket()) &&
    (uid === undefined || stats.uid === BigInt(uid))
  )
}
