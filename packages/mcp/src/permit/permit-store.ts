import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { privateDirectories } from '@chaos/control'
import { messageOf } from '@chaos/core/authoring'
import { readPrivateFile, writePrivateFile } from '../files/private-file.js'
import { isInForce, parsePermit, type Permit } from './permit.js'

const FILE = 'mcp-permit.json'
/** The largest permit, in bytes. */
const MAX_BYTES = 262_144

/** The permits that are in force, and why others are not. */
export interface StoredPermits {
  readonly permits: readonly Permit[]
  readonly problems: readonly string[]
}

/**
 * Reads the permits in the private directories of this user. A shell and a server may differ in which one is their own,
 * so all are read. A file that another user owns or can access is no permit.
 *
 * @param directory Asked for. Default: as for control sockets.
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when the directory is not private
 */
export function readPermits(now: number, directory?: string): StoredPermits {
  const permits: Permit[] = []
  const problems: string[] = []
  for (const folder of privateDirectories(directory).all) {
    const path = join(folder, FILE)
    const read = readPrivateFile(path, MAX_BYTES)
    try {
      if ('text' in read) permits.push(parsePermit(read.text))
      else if (read.problem !== undefined) problems.push(`${path} is no permit: ${read.problem}`)
    } catch (error) {
      problems.push(`${path} is no permit: ${messageOf(error)}`)
    }
  }
  return { permits: permits.filter((permit) => isInForce(permit, now)), problems }
}

/**
 * Stores a permit in the directory of this process, and removes all others.
 *
 * @throws ChaosError `CHAOS_SOCKET_DIRECTORY` when the directory is not private
 */
export function writePermit(permit: Permit, directory?: string): void {
  removePermits(directory)
  writePrivateFile(join(privateDirectories(directory).own, FILE), `${JSON.stringify(permit)}\n`)
}

/** Removes every permit. @returns Whether there was one in force. */
export function removePermits(directory?: string, now = 0): boolean {
  const wasOpen = readPermits(now, directory).permits.length > 0
  for (const folder of privateDirectories(directory).all) rmSync(join(folder, FILE), { force: true })
  return wasOpen
}
