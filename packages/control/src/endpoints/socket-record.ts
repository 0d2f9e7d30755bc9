import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

/** The description of a process, in a file beside its socket. */
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

/** `<pid>-<n>`, of which the names of the socket and of its record are made. */
export const SOCKET_NAME = /^(\d+)-\d+\.(?:sock|json)$/

export const socketRecordPath = (directory: string, base: string): string => join(directory, `${base}.json`)

/** Written to a temporary file and renamed, so that no reader gets half of it. */
export function writeSocketRecord(path: string, record: SocketRecord): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** Reads a record. @returns `undefined` for an invalid one, or one of another user. */
export function readSocketRecord(path: string): SocketRecord | undefined {
  if (!isOwn(path, 'file')) return undefined
  try {
    const parsed = v.safeParse(socketRecordSchema, JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** Whether a path is a file or socket, not a link, and belongs to this user. */
export function isOwn(path: string, kind: 'file' | 'socket'): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return false
  const uid = process.getuid?.()
  return (
    (kind === 'file' ? stats.isFile() && stats.size <= MAX_BYTES : stats.isSocket()) &&
    (uid === undefined || stats.uid === uid)
  )
}
