import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { privateDirectories } from '@chaos/control'
import { ChaosError } from '@chaos/core'
import { messageOf, printableJson } from '@chaos/core/authoring'
import { appendPrivateFile, readPrivateFile } from '../files/private-file.js'
import { bounded } from '../shared/bounded.js'

const FILE = 'mcp-audit.jsonl'
/** The size at which a log is rotated, and the longest entry, in bytes. One earlier log is kept. */
const MAX_BYTES = 1_048_576
const MAX_ENTRY = 8_192

/** One line of the audit log. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string
  /** `model`: a tool was called. `person`: `open` or `close` was typed. */
  readonly by: 'model' | 'person'
  /** The process id of the server or command. */
  readonly pid: number
  /** The name and version that the client gave itself. */
  readonly client?: string
  /** The tool, or the command. */
  readonly action: string
  /** The number of the call in its server. What is begun and what became of it have the same number. */
  readonly call?: number
  readonly arguments?: unknown
  /** `begun`: a fault is about to be injected. */
  readonly outcome: 'begun' | 'done' | 'refused' | 'failed'
  readonly code?: string
  readonly message?: string
  /** Such as the id of the injection. */
  readonly detail?: unknown
}

/** A log of what was asked for, and what became of it. */
export interface AuditLog {
  /** @throws ChaosError `CHAOS_AUDIT_NOT_WRITTEN` when the entry cannot be written */
  write(entry: Omit<AuditEntry, 'at' | 'pid'>): void
  /** The last entries, oldest first. */
  read(limit: number): readonly AuditEntry[]
}

/**
 * The audit log of this user: JSON lines in the private directory of control sockets, with mode 0600. Servers and commands
 * write to the same file.
 */
export function auditLog(now: () => number = Date.now, directory?: string): AuditLog {
  return {
    write(entry) {
      const whole = { at: new Date(now()).toISOString(), pid: process.pid, ...entry }
      try {
        const path = join(privateDirectories(directory).own, FILE)
        if (appendPrivateFile(path, `${lineOf(whole)}\n`) >= MAX_BYTES) renameSync(path, `${path}.1`)
      } catch (error) {
        throw new ChaosError('CHAOS_AUDIT_NOT_WRITTEN', `The audit log cannot be written: ${messageOf(error)}.`, {
          cause: error,
        })
      }
    },
    read(limit) {
      const found = privateDirectories(directory).all.flatMap((folder) =>
        [`${FILE}.1`, FILE].flatMap((name) => entriesIn(join(folder, name))),
      )
      return found.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0)).slice(-limit)
    },
  }
}

/** Writes an entry on one line. Data that would make it too long is left out. */
function lineOf(entry: AuditEntry): string {
  const plainEntry = bounded(entry, { maxText: 1_000, maxItems: 50, maxValues: 300 }) as AuditEntry
  const line = printableJson(JSON.stringify(plainEntry))
  if (Buffer.byteLength(line) <= MAX_ENTRY) return line
  const { arguments: _arguments, detail: _detail, ...rest } = plainEntry
  return printableJson(JSON.stringify({ ...rest, arguments: '… (too long)' }))
}

function entriesIn(path: string): readonly AuditEntry[] {
  // A log may be one entry longer than the size at which it is rotated, for each server that writes to it.
  const read = readPrivateFile(path, 2 * MAX_BYTES)
  if (!('text' in read)) return []
  return read.text.split('\n').flatMap((line) => {
    try {
      const entry = JSON.parse(line) as Partial<AuditEntry> | null
      return typeof entry?.at === 'string' && typeof entry.action === 'string'
        ? [bounded(entry, { maxText: 1_000 }) as AuditEntry]
        : []
    } catch {
      return []
    }
  })
}
