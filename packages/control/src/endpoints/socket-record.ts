import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

/** What a process says of itself beside its socket. */
export interface Announcement {
  readonly pid: number
  readonly name: string
  /** When the process started, in ms since the epoch. */
  readonly startedAt: number
  readonly socketPath: string
}

const announcementSchema = v.looseObject({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  name: v.string(),
  startedAt: v.number(),
  socketPath: v.string(),
})

/** The largest announcement that is read, in bytes. */
const MAX_BYTES = 8_192

/** `<pid>-<n>`, of which the names of the socket and of its announcement are made. */
export const SOCKET_NAME = /^(\d+)-\d+\.(?:sock|json)$/

export const announcementPath = (directory: string, base: string): string => join(directory, `${base}.json`)

/** Written aside and renamed, so that nobody reads half of it. */
export function announce(path: string, announcement: Announcement): void {
  writeFileSync(`${path}.tmp`, JSON.stringify(announcement), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

/** Reads an announcement. @returns `undefined` when it is not one, or not of this user. */
export function readAnnouncement(path: string): Announcement | undefined {
  if (!isOwn(path, 'file')) return undefined
  try {
    const parsed = v.safeParse(announcementSchema, JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** Whether something is what it should be, no link to it, and this user's own. */
export function isOwn(path: string, kind: 'file' | 'socket'): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return false
  const uid = process.getuid?.()
  return (
    (kind === 'file' ? stats.isFile() && stats.size <= MAX_BYTES : stats.isSocket()) &&
    (uid === undefined || stats.uid === uid)
  )
}
