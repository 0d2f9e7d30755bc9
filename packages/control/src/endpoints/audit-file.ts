import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { ChaosError } from '@chaos/core'
import { messageOf, option, optionsSchema, checkOptions, printable, printableJson } from '@chaos/core/authoring'
import type { AuditEntry } from '../api/audit-log.js'
import { toJson } from '../api/json.js'

/** Called with each entry of an audit log. */
export type AuditListener = (entry: AuditEntry) => void

/** Where the audit log of an endpoint goes, besides the entries that it keeps. */
export interface AuditOptions {
  /** Called for each change through the endpoint, and for each change that was refused. */
  readonly onAudit?: AuditListener | undefined
  /**
   * A file that gets each entry as a line of JSON, readable by its owner only. At 10 MiB it is renamed, with `.1` at its
   * end, and begun anew. What cannot be written is reported once, as a warning of the process. Default: `CHAOS_AUDIT_FILE`,
   * else none.
   */
  readonly auditFile?: string | undefined
}

/** The size from which a file is begun anew, in bytes. */
const MAX_FILE_BYTES = 10 * 1_024 * 1_024
/** The longest path, in characters. */
const MAX_PATH = 4_096

const auditSchema = optionsSchema({
  onAudit: option.optional(option.func<AuditListener>('Called for each change.')),
  auditFile: option.optional(option.text('A file for the audit log.', MAX_PATH)),
})

/**
 * Makes the listener of an audit log from the options of an endpoint.
 *
 * @returns `undefined` if nobody wants the entries
 * @throws ChaosError `CHAOS_INVALID_OPTION` when an option is invalid
 */
export function auditTo(given: AuditOptions): AuditListener | undefined {
  const { onAudit, auditFile = process.env['CHAOS_AUDIT_FILE'] } = checkOptions(auditSchema, given, 'the audit log')
  const listeners = [
    ...(auditFile === undefined || auditFile === '' ? [] : [auditFileWriter(auditFile)]),
    ...(onAudit === undefined ? [] : [onAudit]),
  ]
  if (listeners.length === 0) return undefined
  return (entry) => listeners.forEach((listener) => listener(entry))
}

/**
 * Writes entries into a file, each as a line of JSON.
 *
 * @param maxBytes The size from which the file is begun anew. Default 10 MiB.
 */
export function auditFileWriter(path: string, maxBytes = MAX_FILE_BYTES): AuditListener {
  let hasFailed = false
  return (entry) => {
    try {
      append(path, `${printableJson(toJson(entry))}\n`, maxBytes)
      hasFailed = false
    } catch (error) {
      // The application goes on, and the endpoint keeps the entry.
      if (!hasFailed)
        process.emitWarning(
          `The audit log cannot be written to ${printable(path)}: ${messageOf(error)}. Its last entries can be read with \`chaos audit\`.`,
          'ChaosWarning',
        )
      hasFailed = true
    }
  }
}

function append(path: string, line: string, maxBytes: number): void {
  const { fd, size } = open(path)
  try {
    if (size === 0 || size + Buffer.byteLength(line) <= maxBytes) {
      writeSync(fd, line)
      return
    }
  } finally {
    closeSync(fd)
  }
  renameSync(path, `${path}.1`)
  const { fd: next } = open(path)
  try {
    writeSync(next, line)
  } finally {
    closeSync(next)
  }
}

/** Windows has neither of the two. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Readonly<Partial<Record<string, number>>>

/** Opens a file for its owner alone. Links are not followed, and pipes are not waited for. */
function open(path: string): { readonly fd: number; readonly size: number } {
  const { O_APPEND, O_CREAT, O_WRONLY } = constants
  const fd = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o600)
  try {
    // Bigints, as in `socket-file.ts`: what is opened may be a pipe.
    const stats = fstatSync(fd, { bigint: true })
    if (!stats.isFile())
      throw new ChaosError('CHAOS_INVALID_OPTION', 'It is not a regular file. Choose the path of a file.')
    if (process.platform !== 'win32' && (stats.mode & 0o077n) !== 0n) fchmodSync(fd, 0o600)
    return { fd, size: Number(stats.size) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
