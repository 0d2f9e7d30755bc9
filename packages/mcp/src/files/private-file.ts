import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { messageOf } from '@chaos/core/authoring'

// Flags that Windows lacks are undefined there, which `|` treats as 0.
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Why a file is not private; `undefined` if it is a file of this user that no other user can access. */
function problemOf(descriptor: number): string | undefined {
  const stats = fstatSync(descriptor)
  if (!stats.isFile()) return 'it is not a file'
  const uid = process.getuid?.()
  // Windows has no such owners and modes. There, the folder for temporary files belongs to the user.
  if (uid === undefined) return undefined
  if (stats.uid !== uid) return `it belongs to user ${stats.uid}, not to ${uid}`
  return (stats.mode & 0o077) === 0 ? undefined : `its mode is ${(stats.mode & 0o777).toString(8)} instead of 600`
}

/** The content of a private file, or why it has none that can be trusted. */
export type PrivateText = { readonly text: string } | { readonly problem: string | undefined }

/**
 * Reads a file that only this user can access. Symbolic links are not followed. Never throws.
 *
 * @param maxBytes The largest file.
 * @returns Its text, or the problem, which is `undefined` if there is no such file.
 */
export function readPrivateFile(path: string, maxBytes: number): PrivateText {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | SAFE)
    const problem = problemOf(descriptor)
    if (problem !== undefined) return { problem }
    const buffer = Buffer.alloc(maxBytes + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(descriptor, buffer, length, buffer.length - length, null)
    return length > maxBytes
      ? { problem: `it has more than ${maxBytes} bytes` }
      : { text: buffer.toString('utf8', 0, length) }
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : messageOf(error) }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Writes a file of mode 0600 as a whole: no reader gets a part of it. @throws Error when it cannot be written */
export function writePrivateFile(path: string, text: string): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(beside, text, { mode: 0o600, flag: 'wx' })
    renameSync(beside, path)
  } finally {
    rmSync(beside, { force: true })
  }
}

/**
 * Appends to a file of mode 0600, which is created if it is missing.
 *
 * @returns Its size afterwards, in bytes.
 * @throws Error when it cannot be written, or another user can access it
 */
export function appendPrivateFile(path: string, text: string): number {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | SAFE, 0o600)
  try {
    const problem = problemOf(descriptor)
    if (problem !== undefined) throw new Error(`${path} cannot be used: ${problem}`)
    writeSync(descriptor, text)
    return fstatSync(descriptor).size
  } finally {
    closeSync(descriptor)
  }
}
