import type { AuditEntry, ControllerTransport } from '../../transports/transport.js'

/** How many entries one read asks for. */
const PAGE = 1_000

/** Entries of an audit log, oldest first. */
export interface Entries {
  readonly entries: readonly AuditEntry[]
  /** Whether nothing is missing between them and where they were to begin. */
  readonly isComplete: boolean
}

/**
 * Reads the end of an audit log, from its last entry backwards.
 *
 * @param isBefore Whether an entry is before those that are asked for: reading ends there.
 * @param max The most entries.
 */
export async function lastEntries(
  transport: Pick<ControllerTransport, 'audit'>,
  isBefore: (entry: AuditEntry) => boolean,
  max: number,
): Promise<Entries> {
  let entries: readonly AuditEntry[] = []
  for (;;) {
    const count = Math.min(PAGE, max - entries.length)
    const page = await transport.audit(count, entries[0]?.id)
    const at = page.reduce((last, entry, index) => (isBefore(entry) ? index : last), -1)
    entries = [...page.slice(at + 1), ...entries]
    if (at !== -1 || page.length < count) return { entries, isComplete: true }
    if (entries.length >= max) return { entries, isComplete: false }
  }
}
